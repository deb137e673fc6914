-- wrk's requests: a body template with %ID%, ids from a file, one header file of "name: value" lines, method and path.
local requests, count = {}, 0

function init(args)
  local method, path, template = args[1], args[2], io.open(args[3]):read("*a")
  local headers = {}
  for line in io.lines(args[5]) do
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  for id in io.lines(args[4]) do
    count = count + 1
    local body = template ~= "" and template:gsub("%%ID%%", id) or nil
    requests[count] = wrk.format(method, (path:gsub("%%ID%%", id)), headers, body)
  end
  math.randomseed(7)
end

function request() return requests[math.random(count)] end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format("RESULT %d %d %.3f %.3f %.3f %d\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    failed.status + failed.connect + failed.read + failed.write + failed.timeout))
end
