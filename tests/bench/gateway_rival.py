"""A small, fair rival: FastAPI whose handler awaits an INSERT into PostgreSQL before it answers.

Fair: uvicorn as its package comes (asyncio, h11), one process, a pool of 20 connections, a prepared statement, no log of requests; the body is parsed by the
standard library's parse_qs and checked for its token as the gateway's is.
"""
import sys
import urllib.parse

import asyncpg
import fastapi
import uvicorn

app = fastapi.FastAPI()
INSERT = 'INSERT INTO event (name, entity_id, body) VALUES ($1, $2, $3)'


@app.on_event('startup')
async def connect():
    app.state.pool = await asyncpg.create_pool(sys.argv[1], min_size=20, max_size=20)
    await app.state.pool.execute('CREATE TABLE IF NOT EXISTS event (seq bigserial PRIMARY KEY, name text NOT NULL, entity_id bigint NOT NULL,'
                                 ' body text NOT NULL, at timestamptz NOT NULL DEFAULT now())')


@app.get('/health')
async def health():
    return 'ok'


@app.post('/webhook/bitrix')
async def webhook(request: fastapi.Request):
    body = (await request.body()).decode()
    form = urllib.parse.parse_qs(body)
    if not form['auth[application_token]'][0].startswith('bench-token-'):
        raise fastapi.HTTPException(401)
    async with app.state.pool.acquire() as connection:
        await connection.execute(INSERT, form['event'][0], int(form['data[FIELDS][ID]'][0]), body)
    return {'status': 'success'}


if __name__ == '__main__':
    uvicorn.run(app, host='127.0.0.1', port=int(sys.argv[2]), log_level='warning', access_log=False, loop='asyncio', http='h11')
