"""The one list of figures: what `./dev bench` measures, how it is called in both languages, and its gate.

A gate is held against the ratio, or against the first value where a figure has no ratio. Values and ratios are numbers;
the templates say what they are, `{}` being the next number in the language's own writing.
"""
from collections import namedtuple

# key: bench and figure; gate: ('<=' or '>=', number) or None; value, ratio: (English, Russian)
Figure = namedtuple('Figure', 'key gate name value ratio')

SAME = ('{}', '{}')
MIB = ('{} MiB', '{} МиБ')
ROWS = ('{} rows/s', '{} строк/с')
EVENTS = ('{} a second', '{} в секунду')

FIGURES = (
    Figure('sync.requests', ('<=', 1.05),
           ('requests of a full sync under a portal\'s limit (2 a second, burst 50)',
            'запросов полной синхронизации под ограничением портала (2 в секунду, запас 50)'),
           ('{} for {} deals', '{} на {} сделок'), ('{} of the fewest possible ({})', '{} от наименьшего возможного ({})')),
    Figure('sync.time', ('<=', 1.10), ('time of it', 'время на неё'),
           ('{} s', '{} с'), ('{} of what the limit allows ({} s)', '{} от того, что позволяет ограничение ({} с)')),
    Figure('sync.refused', ('<=', 0), ('requests the portal refused', 'отказов портала'), SAME, None),
    Figure('sync.operating', ('<=', 1.10),
           ('time of a full sync where operating seconds are the limit',
            'время полной синхронизации, когда ограничивают секунды работы методов'),
           ('{} s for {} operating seconds', '{} с на {} секунд работы'),
           ('{} of what the limit allows ({} s)', '{} от того, что позволяет ограничение ({} с)')),
    Figure('sync.operating_refused', ('<=', 0), ('requests refused for operating seconds', 'отказов из-за секунд работы'), SAME, None),

    Figure('writer.postgres_new', ('>=', 0.6), ('PostgreSQL writer, new rows', 'запись в PostgreSQL, новые строки'), ROWS,
           ('{} of binary COPY into an empty bare table', '{} от двоичного COPY в пустую таблицу без ключа')),
    Figure('writer.postgres_tenth', ('>=', 1.0), ('PostgreSQL writer, one row in ten changed', 'запись в PostgreSQL, изменилась каждая десятая'),
           ROWS, ('{} of the same COPY', '{} от того же COPY')),
    Figure('writer.postgres_same', ('>=', 2.5), ('PostgreSQL writer, nothing changed', 'запись в PostgreSQL, ничего не изменилось'),
           ROWS, ('{} of the same COPY', '{} от того же COPY')),
    Figure('writer.postgres_wal', ('<=', 10), ('WAL of it', 'журнал WAL при этом'), ('{} bytes a row', '{} байт на строку'), None),
    Figure('writer.postgres_cpu', None, ('CPU of a row: writer, server', 'процессор на строку: запись, сервер'),
           ('new {}, {} µs; one in ten changed {}, {} µs; nothing changed {}, {} µs',
            'новая {}, {} мкс; изменилась каждая десятая {}, {} мкс; ничего не изменилось {}, {} мкс'), None),
    Figure('writer.sqlite_new', ('>=', 0.85), ('SQLite writer, new rows', 'запись в SQLite, новые строки'), ROWS,
           ('{} of prepared inserts', '{} от подготовленных вставок')),

    Figure('chain.postgres', ('>=', 0.5), ('whole chain into PostgreSQL, limit off', 'вся цепочка в PostgreSQL, без ограничения'), ROWS,
           ('{} of the writer\'s own speed ({} rows/s)', '{} от скорости самой записи ({} строк/с)')),
    Figure('chain.sqlite', ('>=', 0.5), ('whole chain into SQLite, limit off', 'вся цепочка в SQLite, без ограничения'), ROWS,
           ('{} of the writer\'s own speed ({} rows/s)', '{} от скорости самой записи ({} строк/с)')),
    Figure('chain.rival', ('>=', 12), ('the chain into PostgreSQL beside a Python client (pages of 50, SQLAlchemy row by row)',
                                       'цепочка в PostgreSQL рядом с клиентом на Python (страницы по 50, SQLAlchemy построчно)'), ROWS,
           ('{} times the client ({} rows/s)', 'в {} раза больше клиента ({} строк/с)')),
    Figure('chain.cpu', None, ('CPU of the chain into PostgreSQL', 'процессор: цепочка в PostgreSQL'),
           ('fetcher {}, mapper {}, writer {}, scheduler {}, PostgreSQL {} µs a row',
            'fetcher {}, mapper {}, writer {}, scheduler {}, PostgreSQL {} мкс на строку'), None),
    Figure('chain.sandbox', None, ('CPU of the sandbox that plays the portal, apart', 'процессор песочницы, играющей портал, отдельно'),
           ('{} µs a row', '{} мкс на строку'), None),

    Figure('memory.most', ('<=', 64), ('greatest memory of a service while a million deals pass', 'наибольшая память службы, пока проходит миллион сделок'),
           ('{} MiB: fetcher {}, mapper {}, writer {}, scheduler {}', '{} МиБ: fetcher {}, mapper {}, writer {}, scheduler {}'), None),
    Figure('memory.growth', ('<=', 1.05), ('its growth from the second quarter to the last', 'её рост от второй четверти к последней'),
           ('{} times', 'в {} раза'), None),

    Figure('json.msgpack', ('>=', 4), ('JSON of a portal\'s answer to msgpack', 'JSON ответа портала в msgpack'), ('{} MB/s', '{} МБ/с'),
           ('{} times Python\'s json.loads', 'в {} раза быстрее json.loads из Python')),

    Figure('gateway.durable', ('>=', 0.6), ('webhooks on disk before the answer, 64 connections', 'вебхуков на диске до ответа, 64 соединения'),
           EVENTS, ('{} of the same server storing nothing ({} a second)', '{} от того же сервера без хранения ({} в секунду)')),
    Figure('gateway.rival', ('>=', 20), ('the same beside a FastAPI handler that awaits an INSERT into PostgreSQL',
                                         'то же рядом с обработчиком FastAPI, ожидающим INSERT в PostgreSQL'), EVENTS,
           ('{} times the handler ({} a second)', 'в {} раза больше обработчика ({} в секунду)')),
    Figure('gateway.slow_disk', ('>=', 0.7), ('the same when every sync of the disk takes 2 ms longer',
                                              'то же, когда каждая запись на диск длится на 2 мс дольше'), EVENTS,
           ('{} of the limit of a group commit ({} a second)', '{} от предела групповой фиксации ({} в секунду)')),
    Figure('gateway.steady', ('<=', 1), ('answers at 1,000 webhooks a second', 'ответы при 1000 вебхуков в секунду'),
           ('99 of 100 within {} ms, half within {} ms', '99 из 100 за {} мс, половина за {} мс'),
           ('{} of what is allowed: {} ms, five times a bare sync ({} ms) and 2 ms',
            '{} от допустимого: {} мс, пять записей на диск ({} мс) и 2 мс')),
    Figure('gateway.ready', ('<=', 0.5), ('start of the gateway with a full spool', 'запуск приёма вебхуков с полным накопителем'),
           ('{} s with {} events', '{} с при {} событий'), None),
    Figure('gateway.restarts', ('<=', 0), ('webhooks refused or lost while the gateway restarts, 500 a second',
                                           'отклонено или потеряно вебхуков при перезапусках, 500 в секунду'),
           ('{} in {} restarts, {} webhooks', '{} за перезапусков: {}, вебхуков: {}'), None),

    Figure('freshness.half', ('<=', 0.7), ('webhook to row at a portal\'s limit, 100 a second over 5,000 deals: half of them',
                                           'от вебхука до строки под ограничением портала, 100 в секунду на 5000 сделок: половина'),
           ('within {} s', 'за {} с'), None),
    Figure('freshness.most', ('<=', 2), ('99 of 100 of them', '99 из 100'), ('within {} s', 'за {} с'), None),
    Figure('freshness.calls', ('<=', 25), ('requests for 10,000 edits of 2,000 deals in 10 s', 'запросов на 10 000 правок 2000 сделок за 10 с'),
           SAME, None),
    Figure('freshness.refused', ('<=', 0), ('refusals of the portal at both', 'отказов портала в обоих случаях'), SAME, None),
)

BY_KEY = {figure.key: figure for figure in FIGURES}
BENCHES = tuple(dict.fromkeys(figure.key.split('.')[0] for figure in FIGURES))
APART = 'gateway', 'freshness'      # not of `all`: by their own names
