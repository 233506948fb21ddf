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
)

BY_KEY = {figure.key: figure for figure in FIGURES}
BENCHES = tuple(dict.fromkeys(figure.key.split('.')[0] for figure in FIGURES))
