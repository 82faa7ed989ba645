"""The broker's sliding windows as they lie in Redis, and the steps on them. Each runs as one.

A budget is three keys: `calls`, a sorted set of calls by their moment; `meta`, a hash; `waiting`, a hash of calls that
have not left yet with the moment after which they are not worth making. Moments are microseconds of Redis' own clock
that never goes back: where the host's is set back, `ahead` makes up for it.
"""

from __future__ import annotations

_NOW = """
local function text(number) return string.format('%.0f', number) end
local t = redis.call('TIME')
local meta = redis.call('HMGET', KEYS[2], 'seen', 'ahead', 'closed', 'birth')
local ahead = tonumber(meta[2] or '0')
local now = t[1] * 1000000 + t[2] + ahead
local seen = tonumber(meta[1] or '0')
if now < seen then
  redis.call('HSET', KEYS[2], 'ahead', text(ahead + seen - now))
  now = seen
end
local closed = tonumber(meta[3] or '0')
local birth = meta[4]
if not birth then
  birth = text(now)
  redis.call('HSET', KEYS[2], 'birth', birth)
  redis.call('SADD', KEYS[4], ARGV[1])
end
redis.call('HSET', KEYS[2], 'seen', text(now))
local first = 4
local longest = 0
for place = first, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[place + 1])) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - longest))
local function turn()
  local at = math.max(now, closed)
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  if last[2] then at = math.max(at, tonumber(last[2])) end
  for place = first, #ARGV, 2 do
    local nth = redis.call('ZRANGE', KEYS[1], '-' .. ARGV[place], '-' .. ARGV[place], 'WITHSCORES')
    if nth[2] then at = math.max(at, tonumber(nth[2]) + tonumber(ARGV[place + 1])) end
  end
  return at
end
local function keep()
  redis.call('PEXPIRE', KEYS[1], math.ceil(longest / 1000) + 60000)
  redis.call('PEXPIRE', KEYS[3], math.ceil(longest / 1000) + 60000)
end
"""
"""KEYS calls, meta, waiting, names; ARGV the budget's name, two of the step's own, then `calls` and microseconds (with
the margin) of each window. `turn()`: the first moment at which one more call breaks no window."""

RESERVE = (
    _NOW
    + """
local at = turn()
if at - now > tonumber(ARGV[2]) then return {0, text(at - now), birth} end
local number = redis.call('HINCRBY', KEYS[2], 'number', 1)
local id = string.format('%015d:%s', number, ARGV[3])
redis.call('ZADD', KEYS[1], text(at), id)
if at > now then redis.call('HSET', KEYS[3], id, text(now + ARGV[2])) end
keep()
return {id, text(at - now), birth}
"""
)
"""ARGV 2: microseconds that the caller waits at most, 3: the process. Returns the call's number, or 0 if its turn comes
too late, and the wait."""
CONFIRM = (
    _NOW
    + """
local at = redis.call('ZSCORE', KEYS[1], ARGV[2])
if at then
  local left = tonumber(at) - now
  if left <= 0 then redis.call('HDEL', KEYS[3], ARGV[2]) end
  return {1, text(math.max(0, left)), birth}
end
local lost = redis.call('HGET', KEYS[3], ARGV[2])
if not lost then return {-1, '0', birth} end
redis.call('HDEL', KEYS[3], ARGV[2])
return {0, text(math.max(0, tonumber(lost) - now)), birth}
"""
)
"""ARGV 2: the call. 1 and the wait that is left; 0 and a wait: a penalty moved its turn too far; -1: unknown here."""
PENALISE = (
    _NOW
    + """
closed = math.max(closed, now + tonumber(ARGV[2]))
redis.call('HSET', KEYS[2], 'closed', text(closed))
local waiting = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf')
for _, id in ipairs(waiting) do redis.call('ZREM', KEYS[1], id) end
for _, id in ipairs(waiting) do
  local at, till = turn(), tonumber(redis.call('HGET', KEYS[3], id) or '0')
  if at <= till then redis.call('ZADD', KEYS[1], text(at), id)
  else redis.call('HSET', KEYS[3], id, text(at)) end
end
keep()
return {1, text(closed - now), birth}
"""
)
"""ARGV 2: microseconds. Those that wait get new turns in their order; one whose turn would come too late is taken out,
so that nobody stands behind a call that is not made."""
PEEK = _NOW + "return {1, text(turn() - now), birth}"
COUNT = (
    _NOW
    + """
for age in string.gmatch(ARGV[2], '%d+') do
  local number = redis.call('HINCRBY', KEYS[2], 'number', 1)
  redis.call('ZADD', KEYS[1], text(now - age), string.format('%015d:%s', number, ARGV[3]))
end
keep()
return {1, '0', birth}
"""
)
"""ARGV 2: ages in microseconds of calls that left without asking, 3: the process."""
WINDOWS = (
    _NOW
    + """
local told = {text(math.max(0, closed - now))}
for place = first, #ARGV, 2 do
  local since = '(' .. text(now - ARGV[place + 1])
  local oldest = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  told[#told + 1] = redis.call('ZCOUNT', KEYS[1], since, '+inf')
  told[#told + 1] = oldest[2] and text(math.max(0, oldest[2] + ARGV[place + 1] - now)) or '0'
end
return told
"""
)
"""The windows are given without the margin. Microseconds for which it is closed, then of each window: used, and
microseconds until the oldest of them counts no more."""
