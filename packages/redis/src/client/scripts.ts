/** Forgets what is over in one stream, on the server and in one step.
 *  KEYS[1] the stream; ARGV[1] the id before which everything is too old, or empty; ARGV[2] milliseconds of silence
 *  after which a consumer is dead; ARGV[3] 1: the group of a dead consumer goes with it.
 *  Then everything goes that every group has read and settled. */
export const FORGET: string = `
local function before(a, b)
  local am, as = string.match(a, '^(%d+)-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)-(%d+)$')
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am < bm or (am == bm and as < bs)
end
local function map(flat)
  local fields = {}
  for n = 1, #flat, 2 do fields[flat[n]] = flat[n + 1] end
  return fields
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local least = nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = map(flat)
  local consumers = redis.call('XINFO', 'CONSUMERS', KEYS[1], group.name)
  local alive = #consumers == 0
  for _, each in ipairs(consumers) do
    local consumer = map(each)
    if consumer.idle < tonumber(ARGV[2]) then alive = true
    elseif consumer.pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group.name, consumer.name) end
  end
  if not alive and ARGV[3] == '1' then
    redis.call('XGROUP', 'DESTROY', KEYS[1], group.name)
  else
    local pending = redis.call('XPENDING', KEYS[1], group.name)
    local keep = pending[2]
    if not keep then
      local ms, seq = string.match(group['last-delivered-id'], '^(%d+)-(%d+)$')
      keep = ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
    end
    if least == nil or before(keep, least) then least = keep end
  end
end
if ARGV[1] ~= '' and (least == nil or before(least, ARGV[1])) then least = ARGV[1] end
if least == nil then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', least)
`

/** Calls one reader of a group: the one that has waited longest and can still be reached. */
const RING = `
local function ring(stream, group, word)
  local ready = stream .. ':ready:' .. group
  local channel = redis.call('LPOP', ready)
  while channel do
    if redis.call('PUBLISH', channel, word .. ' ' .. stream) > 0 then return end
    channel = redis.call('LPOP', ready)
  end
end
local function ring_all(stream)
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do ring(stream, group[2], 'new') end
end
`

/** Adds a message and calls one reader of each group. Gives its id, or nothing when there is no such stream. A message
 *  with a number that the sender has used is there already.
 *  KEYS[1] the stream, KEYS[2] the numbers of the sender; ARGV: the number, how many numbers are kept, 1 when the
 *  stream is made if there is none, the number of words that say what XADD cuts off, then these, then fields and
 *  values. */
export const ADD: string = `${RING}
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'there already' end
local words = { 'XADD', KEYS[1] }
if ARGV[3] ~= '1' then words[#words + 1] = 'NOMKSTREAM' end
local trim = tonumber(ARGV[4])
for n = 5, 4 + trim do words[#words + 1] = ARGV[n] end
words[#words + 1] = '*'
for n = 5 + trim, #ARGV do words[#words + 1] = ARGV[n] end
local id = redis.call(unpack(words))
if not id then return id end
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[1])
if tonumber(ARGV[1]) % 100 == 1 then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[2]))
end
redis.call('EXPIRE', KEYS[2], 600)
ring_all(KEYS[1])
return id
`

/** New messages of a stream for a reader. When there are none the reader is put into the line of those who wait to be
 *  called: in one step, so that no message is missed between the two. Gives messages, and whether others have left
 *  some. KEYS[1] the stream; ARGV: group, consumer, most messages, the consumer that holds what was handed back, the
 *  reader's channel. */
export const READ: string = `
local found = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if found then return { found[1][2], 0 } end
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[4]) > 0 then return { {}, 1 } end
local ready = KEYS[1] .. ':ready:' .. ARGV[1]
if not redis.call('LPOS', ready, ARGV[5]) then redis.call('RPUSH', ready, ARGV[5]) end
redis.call('EXPIRE', ready, 600)
return { {}, 0 }
`

/** Hands a message back to the group, and calls one of its readers.
 *  KEYS[1] the stream; ARGV: group, the consumer that holds what was handed back, id, idle milliseconds. */
export const GIVE_BACK: string = `${RING}
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', ARGV[4], 'JUSTID')
ring(KEYS[1], ARGV[1], 'back')
`

/** Moves what is due from the delayed ones of a stream into the stream.
 *  KEYS[1] the stream, KEYS[2] the delayed ones; ARGV[1] the time. Each member is a JSON list: a name of its own, then
 *  fields and values. */
export const MOVE_DUE: string = `${RING}
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 100)
for _, member in ipairs(due) do
  local fields = cjson.decode(member)
  table.remove(fields, 1)
  redis.call('XADD', KEYS[1], '*', unpack(fields))
  redis.call('ZREM', KEYS[2], member)
  ring_all(KEYS[1])
end
return #due
`
