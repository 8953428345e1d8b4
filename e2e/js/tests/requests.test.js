// What other clients send: other spellings of the same requests, and the protocol around them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

import { activity, feed, key, name, objects, request, second, server, url } from '../pond.js';

test('a path works with and without its last slash, and is never redirected', async () => {
  const amy = feed();
  for (const slash of ['', '/']) {
    assert.equal((await request('POST', `feed/user/${amy.userId}${slash}`, { body: activity() })).status, 201);
    assert.equal((await request('GET', `feed/user/${amy.userId}${slash}`)).status, 200);
    assert.equal((await request('GET', `stats/follow${slash}`, { query: `api_key=${key}&followers=${amy.id}` })).status, 200);
  }
  assert.equal((await objects(amy)).length, 2);
});

test('success is answered 201 where something is made or changed, and 200 elsewhere', async () => {
  const [amy, bob] = [name('amy'), name('bob')];
  const identity = { foreign_id: name(), time: second(1) };
  const expected = [
    ['POST', `feed/user/${amy}/`, activity('skates', identity), 201],
    ['POST', 'activities/', { activities: [activity('hat', identity)] }, 201],
    ['POST', 'activity/', { changes: [{ ...identity, set: { price: 1 } }] }, 201],
    ['POST', `feed/timeline/${bob}/following/`, { target: `user:${amy}` }, 201],
    ['POST', 'follow_many/', [{ source: `timeline:${bob}`, target: `user:${amy}` }], 201],
    ['POST', 'feed/add_to_many/', { feeds: [`user:${bob}`], activity: activity() }, 201],
    ['POST', `feed_targets/user/${amy}/activity_to_targets/`, { ...identity, new_targets: [`user:${bob}`] }, 201],
    ['GET', `feed/timeline/${bob}/`, undefined, 200],
    ['GET', `enrich/feed/timeline/${bob}/`, undefined, 200],
    ['GET', `feed/user/${amy}/followers/`, undefined, 200],
    ['DELETE', `feed/timeline/${bob}/following/user:${amy}/`, undefined, 200],
    ['DELETE', `feed/user/${amy}/${identity.foreign_id}/`, undefined, 200, '&foreign_id=1'],
    ['POST', 'unfollow_many/', [], 200],
  ];
  for (const [method, path, body, status, more = ''] of expected) {
    const answer = await request(method, path, { body, query: `api_key=${key}${more}` });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    assert.equal(typeof answer.body.duration, 'string', `${method} ${path}`);
    assert.equal('exception' in answer.body, false);
  }
});

test('follows is another word for following', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  const path = `feed/timeline/${bob.userId}/follows/`;
  assert.equal((await request('POST', path, { body: { target: amy.id } })).status, 201);
  assert.equal((await request('GET', path)).body.results[0].target_id, amy.id);
  assert.equal((await request('DELETE', `${path}${amy.id}/`)).status, 200);
  assert.deepEqual((await bob.following()).results, []);
});

test('a target in a path may be written with an encoded colon', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  await bob.follow('user', amy.userId);
  const path = `feed/timeline/${bob.userId}/following/${encodeURIComponent(amy.id)}/`;
  assert.equal((await request('DELETE', path)).status, 200);
  assert.deepEqual((await bob.following()).results, []);
});

for (const [sent, stay] of [['true', 1], ['True', 1], ['1', 1], ['false', 0], ['False', 0], ['0', 0], ['', 0]]) {
  test(`keep_history=${sent} ${stay ? 'keeps' : 'drops'} the history`, async () => {
    const [amy, bob] = [feed(), feed('timeline')];
    await amy.addActivity(activity());
    await bob.follow('user', amy.userId);
    await request('DELETE', `feed/timeline/${bob.userId}/follows/${amy.id}/`, { query: `api_key=${key}&keep_history=${sent}` });
    assert.equal((await objects(bob)).length, stay);
  });
}

test('a copy limit may stand in the query', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  await amy.addActivities([activity('a'), activity('b')]);
  const query = `api_key=${key}&activity_copy_limit=1`;
  await request('POST', `feed/timeline/${bob.userId}/follows/`, { query, body: { target: amy.id, target_token: 'x' } });
  assert.deepEqual(await objects(bob), ['b']);
});

test('unknown parameters and fields of a follow are ignored', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  const query = `api_key=${key}&location=unspecified&colour=red`;
  const body = { target: amy.id, target_token: 'x', extra: { deep: 1 } };
  assert.equal((await request('POST', `feed/timeline/${bob.userId}/follows/`, { query, body })).status, 201);
});

test('a list in a query may be separated by commas or repeated', async () => {
  const { activities } = await feed().addActivities([activity('a'), activity('b')]);
  const ids = activities.map(({ id }) => id);
  for (const query of [`ids=${ids.join(',')}`, `ids=${ids[0]}&ids=${ids[1]}`, `ids=${ids.join(',%20')}`]) {
    const { body } = await request('GET', 'activities/', { query: `api_key=${key}&${query}` });
    assert.deepEqual(body.results.map(({ id }) => id), ids, query);
  }
});

test('null means absent', async () => {
  const amy = name();
  const body = { ...activity(), foreign_id: null, target: null, to: null, time: null };
  const { status, body: added } = await request('POST', `feed/user/${amy}/`, { body });
  assert.deepEqual([status, added.foreign_id, added.target, 'to' in added], [201, '', '', false]);
});

test('a body of a delete is ignored', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  await bob.follow('user', amy.userId);
  assert.equal((await request('DELETE', `feed/timeline/${bob.userId}/follows/${amy.id}/`, { body: {} })).status, 200);
});

test('an empty object is an empty list of follows', async () => {
  for (const path of ['follow_many/', 'unfollow_many/']) {
    const { status, text } = await request('POST', path, { body: {} });
    assert.ok([200, 201].includes(status), text);
  }
});

test('a request may be compressed', async () => {
  const amy = feed();
  const body = gzipSync(JSON.stringify(activity('skates')));
  const { status } = await request('POST', `feed/user/${amy.userId}/`, { body, headers: { 'Content-Encoding': 'gzip' } });
  assert.equal(status, 201);
  assert.deepEqual(await objects(amy), ['skates']);
});

test('the content type may be spelled with a character set', async () => {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  assert.equal((await request('POST', `feed/user/${name()}/`, { body: activity(), headers })).status, 201);
});

test('everything is answered as JSON, also errors', async () => {
  for (const [method, path] of [['GET', 'feed/user/amy/'], ['GET', 'nowhere/'], ['DELETE', 'follow_many/'], ['GET', 'feed/nogroup/1/']]) {
    const { headers, text } = await request(method, path);
    assert.match(headers.get('content-type') ?? '', /^application\/json/, `${method} ${path}: ${text}`);
  }
});

test('a path that is not there is answered 404', async () => {
  const { status, body } = await request('GET', 'nowhere/at/all/');
  assert.deepEqual([status, body.status_code], [404, 404]);
});

test('a method that a path does not have is answered 405', async () => {
  for (const [method, path] of [['PATCH', 'feed/user/amy/'], ['GET', 'follow_many/'], ['PUT', 'activities/']]) {
    const { status, body } = await request(method, path);
    assert.deepEqual([status, body.code], [405, 17], `${method} ${path}`);
  }
});

test('a browser may ask from another origin', async () => {
  const response = await fetch(`${url}/api/v1.0/feed/user/amy/?api_key=${key}`, {
    method: 'OPTIONS',
    headers: {
      Origin: 'https://example.org',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, stream-auth-type, x-stream-client, content-type',
    },
  });
  assert.ok(response.ok, `${response.status}`);
  assert.ok(['*', 'https://example.org'].includes(response.headers.get('access-control-allow-origin')));
  const allowed = (response.headers.get('access-control-allow-headers') ?? '').toLowerCase();
  for (const header of ['authorization', 'stream-auth-type', 'x-stream-client', 'content-type']) {
    assert.ok(allowed === '*' || allowed.includes(header), `${header} in ${allowed}`);
  }
  assert.match(response.headers.get('access-control-allow-methods') ?? '', /POST|\*/);
});

test('an answer can be read by a page from another origin', async () => {
  const { headers } = await request('GET', 'feed/user/amy/', { headers: { Origin: 'https://example.org' } });
  assert.ok(['*', 'https://example.org'].includes(headers.get('access-control-allow-origin')));
});

test('many clients that write the same activity write it once', async () => {
  const amy = feed();
  const same = activity('skates', { foreign_id: name(), time: second(1) });
  const added = await Promise.all(Array.from({ length: 20 }, () => amy.addActivity(same)));
  assert.equal(new Set(added.map(({ id }) => id)).size, 1);
  assert.deepEqual(await objects(amy), ['skates']);
});

test('a follow and a post at the same moment lose nothing', async () => {
  const amy = feed();
  const readers = Array.from({ length: 10 }, () => feed('timeline'));
  const posts = Array.from({ length: 10 }, (_, index) => () => amy.addActivity(activity(`thing-${index}`)));
  const follows = readers.map((reader) => () => reader.follow('user', amy.userId));
  await Promise.all(posts.flatMap((post, index) => [post(), follows[index]()]));
  const expected = await objects(amy);
  assert.equal(expected.length, 10);
  for (const reader of readers) assert.deepEqual(await objects(reader), expected);
});

test('the server says that it lives and is ready', async () => {
  for (const path of ['livez', 'readyz']) assert.equal((await fetch(`${url}/${path}`)).status, 200, path);
});

test('a client that is told another service stays with this server', () => {
  assert.equal(server.getBaseUrl(), `${url}/api/`);
});
