-- Load of wrk: one event of a portal a request, 600 bytes, each of another record. Arguments: first id, event, token.
-- What all requests share is put together once: the client must not be what is measured.
local next_id, head, tail

function init(arguments)
    next_id = tonumber(arguments[1])
    local first = 'event=' .. arguments[2] .. '&data[FIELDS][ID]='
    local last = '&ts=1795200000&auth[domain]=127.0.0.1&auth[client_endpoint]=http%3A%2F%2F127.0.0.1%2Frest%2F' ..
        '&auth[server_endpoint]=https%3A%2F%2Foauth.bitrix.info%2Frest%2F&auth[member_id]=a223c6b3710f85df22e9377d6c4f7553' ..
        '&auth[application_token]=' .. arguments[3]
    last = last .. '&more=' .. string.rep('x', 600 - 12 - #first - #last - 6)
    local all = wrk.format('POST', '/webhook/bitrix', { ['Host'] = wrk.headers['Host'],
        ['Content-Type'] = 'application/x-www-form-urlencoded' }, first .. string.rep('0', 12) .. last)
    head, tail = all:sub(1, #all - #last - 12), all:sub(#all - #last + 1)
end

function request()
    next_id = next_id + 1
    return head .. string.format('%012d', next_id) .. tail
end
