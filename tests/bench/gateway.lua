-- Load of wrk: one event of a portal a request, 600 bytes, each of another record. Arguments: first id, event, token.
local next_id, head, tail

function init(arguments)
    next_id = tonumber(arguments[1])
    head = 'event=' .. arguments[2] .. '&data[FIELDS][ID]='
    tail = '&ts=1795200000&auth[domain]=127.0.0.1&auth[client_endpoint]=http%3A%2F%2F127.0.0.1%2Frest%2F' ..
        '&auth[server_endpoint]=https%3A%2F%2Foauth.bitrix.info%2Frest%2F&auth[member_id]=a223c6b3710f85df22e9377d6c4f7553' ..
        '&auth[application_token]=' .. arguments[3]
    tail = tail .. '&more=' .. string.rep('x', 600 - 12 - #head - #tail - 6)
    wrk.method = 'POST'
    wrk.path = '/webhook/bitrix'
    wrk.headers['Content-Type'] = 'application/x-www-form-urlencoded'
end

function request()
    next_id = next_id + 1
    return wrk.format(nil, nil, nil, head .. string.format('%012d', next_id) .. tail)
end
