"""What Redis does in one step. A conversation's live buffer is a stream of events and a hash that heads it.

Events are numbered from 1 within a buffer's life. The head knows `life`, `last` (the newest number), `evicted` (the
newest number that is lost), the newest turn's `turn` and `attempt`, its `first` number and the `start` from where it
is whole, and the `size` of the events in bytes. A head that says `forgotten` keeps out what comes late.
"""

from storage.redis.link import Script

# The events of older turns make room first. Where the newest turn itself is too long, whatever stands for all of it
# takes the place of what came before; a delta does not, nor where its beginning is missing here: the answer is 0.
APPEND = Script("""
local stream, head = KEYS[1], KEYS[2]
local payload, kind, turn, attempt = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local life, anew, channel = ARGV[5], ARGV[6] == '1', ARGV[7]
local most, bytes, ttl = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local h = redis.call('HMGET', head, 'life', 'last', 'evicted', 'first', 'start', 'size', 'turn', 'attempt', 'forgotten')
if h[9] and kind ~= 'started' then return 1 end
if not h[1] or redis.call('EXISTS', stream) == 0 then
  redis.call('DEL', stream, head)
  h = {life, 0, 0, 0, 0, 0, '', 0}
end
life = h[1]
local last, evicted, first, start, size = tonumber(h[2]), tonumber(h[3]), tonumber(h[4]), tonumber(h[5]), tonumber(h[6])
local same, known = h[7] == turn, tonumber(h[8])
if kind == 'finished' then
  attempt = same and known or 0
elseif same and attempt < known then
  return 1
elseif kind == 'delta' and not (same and attempt == known) then
  return 0
end
local number, count = last + 1, redis.call('XLEN', stream)
if not same then first = number end
if not same or attempt ~= known or kind == 'started' or anew then start = number end

local function full() return count >= most or size + #payload > bytes end
local function oldest()
  local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return tonumber(string.match(entry[1], '^%d+')), #entry[2][2]
end
while count > 0 and full() do
  local id, length = oldest()
  if id >= first then break end
  redis.call('XTRIM', stream, 'MINID', id + 1)
  count, size, evicted = count - 1, size - length, id
  redis.call('HSET', head, 'size', size, 'evicted', evicted)
end
if count > 0 and kind == 'delta' and (count >= most or (full() and count > most / 2)) then return 0 end
if count > 0 and kind ~= 'delta' and (full() or (anew and same)) then
  if oldest() < first then evicted = first - 1 end
  redis.call('DEL', stream)
  size = 0
end

redis.call('XADD', stream, number .. '-0', 'e', payload)
redis.call('HSET', head, 'life', life, 'last', number, 'evicted', evicted, 'first', first, 'start', start,
  'size', size + #payload, 'turn', turn, 'attempt', attempt)
redis.call('PEXPIRE', stream, ttl)
redis.call('PEXPIRE', head, ttl)
redis.call('PUBLISH', channel, life .. '-' .. number)
return 1
""")

# From `life` after `position`: '' is the newest turn's beginning, '*' any life. Nothing where there is no buffer, the
# life alone where what was asked for is gone, else life, position, last number and events.
READ = Script("""
local life, position = ARGV[1], tonumber(ARGV[2])
local h = redis.call('HMGET', KEYS[2], 'life', 'last', 'evicted', 'start')
if not h[1] then return {} end
local last, evicted = tonumber(h[2]), tonumber(h[3])
if life == '' then
  position = tonumber(h[4]) - 1
elseif life ~= '*' and life ~= h[1] then
  return {h[1]}
end
if position < evicted or position > last then return {h[1]} end
local events = redis.call('XRANGE', KEYS[1], position + 1, '+', 'COUNT', ARGV[3])
if position < last and #events == 0 then return {h[1]} end
return {h[1], position, last, events}
""")

FORGET = Script("""
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'forgotten', 1)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[1], '')
""")

# Each bucket is the time (µs) at which it is full again.
TAKE = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local longest, full = 0, {}
for i, key in ipairs(KEYS) do
  local step, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  full[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + step
  longest = math.max(longest, full[i] - now - step * burst)
end
if longest <= 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', full[i]), 'PX', math.max(1, math.ceil((full[i] - now) / 1000)))
  end
end
return string.format('%.0f', longest)
""")

# An empty value keeps out what is put after the conversation was forgotten.
PUT = Script("""
if redis.call('GET', KEYS[1]) == '' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")
