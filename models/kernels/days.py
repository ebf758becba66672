"""What two closes count of accounts' rows, day by day and network by network: sums of integers."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled
from laurel.models.kernels.formulas import day_counts_one
from laurel.models.kernels.sorting import ascending

HALF = 20  # bits of the low half that large sums are added up in
MOST = 1 << 62  # what a sum is held at, 70 million points, so that no account is too influential for 64 bits


@compiled
def held(high: int, low: int) -> Any:
    """A sum from its halves, held at MOST."""
    return (high << HALF) + low if high < (MOST >> HALF) - (1 << HALF) else MOST


@compiled
def position(name: int, ids: Any, likely: Any) -> Any:
    """Where an action's id is in `ids` (uint32[actions], ascending), -1 if it isn't; `likely` by its low 16 bits, see Networks.likely."""
    at = np.int64(likely[name & 0xFFFF])
    if ids[at] == name:
        return at
    at = np.searchsorted(ids, name)
    return at if at < len(ids) and ids[at] == name else -1


@compiled
def find_rows(rows: Any, begin: int, length: int, oldest: int, day: int, at: Any, when: Any) -> Any:
    """Where one account's rows begin that a close of `day` counts, back to an `oldest` day: how many, written to `at` and their days to `when`,
    in the order of days."""
    size, in_order = 0, True
    for row in range(length):
        place = begin + row * rows.itemsize
        one = rows[place]
        moment = np.int64(one["day"])
        if one["admit"] <= day and oldest <= moment <= day:
            in_order = in_order and (size == 0 or when[size - 1] <= moment)
            at[size], when[size] = place, moment
            size += 1
    if not in_order:
        ascending(when, at, size)
    return size


@compiled
def count_days(
    rows: Any,
    begin: Any,
    length: Any,
    actions: Any,
    lanes: int,
    fade: Any,
    knee: float,
    day: int,
    before: int,
) -> Any:
    """What closes of `day` and of a day `before` it (or the same) count of n accounts' BUCKET rows, in whatever order these are.

    `rows` begin at every byte of a buffer: account i has `length[i]` from byte `begin[i]` on, one after the other. `actions` are the ids
    of the network table, what is `likely` among them, and kind and network of each; `lanes` are its networks. `fade` int64[window].

    Returns parts (int64[k, 3]: code, part, count), int64[n + 1] where each account's begin, and which place each is of (int64[k]); places
    (int64[m, 4]: network, part, reactions, posts) and int64[n + 1] likewise; the same (int64[m, 4]) of what counted at the close before, and
    of that as old as it is now; bool[2, n], which accounts anything counts of now, and then.
    """
    ids, likely, kinds, networks = actions
    accounts, window = len(begin), len(fade)
    most, total, longest = len(ids), 0, 0
    for account in range(accounts):
        total += length[account]
        longest = max(longest, length[account])
    parts, part_ends = np.empty((total, 3), np.int64), np.zeros(accounts + 1, np.int64)
    place_of = np.empty(total, np.int64)
    places, place_ends = np.empty((total, 4), np.int64), np.zeros(accounts + 1, np.int64)
    was, aged = np.empty((total, 4), np.int64), np.empty((total, 4), np.int64)
    there = np.zeros((2, accounts), np.bool_)
    # Of one account: its rows that count, in the order of days.
    at, when = np.empty(longest, np.int64), np.empty(longest, np.int64)
    # Of one day of it: weights and numbers by action, all and of those that the close before counted, too; by network.
    weight, number = np.zeros((2, most), np.int64), np.zeros((2, most), np.int64)
    whole, share, seen = np.zeros((2, lanes), np.int64), np.zeros(lanes), np.zeros(most, np.bool_)
    met, crossed, crossing = np.empty(most, np.int64), np.empty(lanes, np.int64), np.zeros(lanes, np.bool_)
    # Of all its days: sums by action; by network now, then, and then as old as now.
    by_code, has_code, codes = np.zeros((most, 3), np.int64), np.zeros(most, np.bool_), np.empty(most, np.int64)
    sums, has_lane, ways = np.zeros((3, lanes, 5), np.int64), np.zeros(lanes, np.bool_), np.empty(lanes, np.int64)
    slot = np.zeros(lanes, np.int64)
    low = (1 << HALF) - 1
    k = m = 0
    for account in range(accounts):
        size = find_rows(rows, begin[account], length[account], before - window + 1, day, at, when)
        n_codes = n_lanes = 0
        row = 0
        while row < size:
            moment, n_met, n_crossed = when[row], 0, 0
            new = False
            while row < size and when[row] == moment:
                one = rows[at[row]]
                row += 1
                code = position(one["action"], ids, likely)
                if code < 0:  # an operator may have removed an action
                    continue
                if not seen[code]:
                    seen[code] = True
                    met[n_met] = code
                    n_met += 1
                weight[0, code] += one["weight"]
                number[0, code] += one["count"]
                if one["admit"] <= before:
                    weight[1, code] += one["weight"]
                    number[1, code] += one["count"]
                else:
                    new = True
            for i in range(n_met):
                code = met[i]
                lane = networks[code]
                if not has_lane[lane]:
                    has_lane[lane] = True
                    ways[n_lanes] = lane
                    n_lanes += 1
                # Below 0 only where less is left than was taken back of what is older than anything counted.
                if not crossing[lane]:
                    crossing[lane] = True
                    crossed[n_crossed] = lane
                    n_crossed += 1
                whole[0, lane] += max(weight[0, code], 0)
                whole[1, lane] += max(weight[1, code], 0)
            now = fade[day - moment] if day - moment < window else 0
            then = fade[before - moment] if 0 <= before - moment < window else 0
            for i in range(n_crossed):
                lane = crossed[i]
                came = np.int64(day_counts_one(whole[0, lane], knee))
                earlier = np.int64(day_counts_one(whole[1, lane], knee)) if new else came
                share[lane] = came / max(whole[0, lane], 1)
                whole[0, lane] = whole[1, lane] = 0
                crossing[lane] = False
                sums[0, lane, 0] += (came >> HALF) * now
                sums[0, lane, 1] += (came & low) * now
                sums[1, lane, 0] += (earlier >> HALF) * then
                sums[1, lane, 1] += (earlier & low) * then
                sums[2, lane, 0] += (earlier >> HALF) * now
                sums[2, lane, 1] += (earlier & low) * now
            for i in range(n_met):
                code = met[i]
                lane, kind = networks[code], kinds[code]
                sums[0, lane, 2 + kind] += number[0, code] * now
                sums[1, lane, 2 + kind] += number[1, code] * then
                sums[2, lane, 2 + kind] += number[1, code] * now
                if now:  # else it is of the close before only
                    if not has_code[code]:
                        has_code[code] = True
                        codes[n_codes] = code
                        n_codes += 1
                    part = np.int64(np.rint(max(weight[0, code], 0) * share[lane]))
                    by_code[code, 0] += (part >> HALF) * now
                    by_code[code, 1] += (part & low) * now
                    by_code[code, 2] += number[0, code] * now
                seen[code] = False
                weight[0, code] = weight[1, code] = number[0, code] = number[1, code] = 0
        some = some_then = 0
        ascending(ways, ways, n_lanes)
        for i in range(n_lanes):
            lane = ways[i]
            has_lane[lane] = False
            slot[lane] = m
            for close, counted in enumerate((places, was, aged)):
                counted[m, 0], counted[m, 1] = lane, held(sums[close, lane, 0], sums[close, lane, 1])
                counted[m, 2], counted[m, 3] = sums[close, lane, 2], sums[close, lane, 3]
            some += sums[0, lane, 2] + sums[0, lane, 3] + sums[0, lane, 4]
            some_then += sums[1, lane, 2] + sums[1, lane, 3] + sums[1, lane, 4]
            sums[:, lane] = 0
            m += 1
        # What was wholly taken back leaves nothing behind, whether or not its rows have met in one bucket yet.
        there[0, account], there[1, account] = some > 0, some_then > 0
        ascending(codes, codes, n_codes)
        for i in range(n_codes):
            code = codes[i]
            has_code[code] = False
            parts[k, 0], parts[k, 1], parts[k, 2] = code, held(by_code[code, 0], by_code[code, 1]), by_code[code, 2]
            place_of[k] = slot[networks[code]]
            by_code[code] = 0
            k += 1
        part_ends[account + 1], place_ends[account + 1] = k, m
    return parts[:k], part_ends, place_of[:k], places[:m], place_ends, was[:m], aged[:m], there
