// Links that count lead on. What users saw and did has a client of its own; here it is sent as that client sends it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { key, options, server, url } from '../pond.js';
import { connect } from '../calls.js';

const follow = async (link) => {
  const { pathname, search } = new URL(link);
  const { status, headers } = await fetch(`${url}${pathname}${search}`, { redirect: 'manual' });
  return { status, to: headers.get('location') };
};

test('a link that counts leads on', async () => {
  const events = [{ engagement: 'click', content: 'tweet:1' }, { content_list: ['1', '2'] }];
  const link = server.createRedirectUrl('https://example.com/a b?c=d&e=~', 'amy', events);
  assert.deepEqual(await follow(link), { status: 302, to: 'https://example.com/a%20b?c=d&e=~' });
});

test('a link of another secret, or with a token taken out, leads nowhere', async () => {
  const other = connect(key, 'another-secret', undefined, options).createRedirectUrl('https://example.com/', 'amy', []);
  assert.deepEqual(await follow(other), { status: 403, to: null });
  const link = new URL(server.createRedirectUrl('https://example.com/', 'amy', []));
  link.searchParams.delete('authorization');
  assert.deepEqual(await follow(link), { status: 403, to: null });
});

test('what users saw and did is taken from the token that the client makes for it', async () => {
  const send = async (what, body) => {
    const headers = { authorization: server.getAnalyticsToken(), 'stream-auth-type': 'jwt', 'content-type': 'application/json' };
    const asked = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await fetch(`${url}/analytics/v1.0/${what}/?api_key=${key}`, asked)).status;
  };
  const engagement = { label: 'click', content: 'tweet:1', user_data: 'amy', features: [{ group: 'topic', value: 'js' }] };
  assert.equal(await send('engagement', { content_list: [engagement] }), 201);
  assert.equal(await send('impression', { content_list: ['tweet:1'], user_data: { id: 'amy', alias: 'Amy' } }), 201);
  assert.equal(await send('engagement', { content_list: [{ label: 'click' }] }), 400);
});
