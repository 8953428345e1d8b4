import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, everything, feed, key, name, refused, request, secret, server, token } from '../pond.js';

const SCOPE = 'You do not have permission to perform this action.';

/** A feed that is accessed with a token of these claims. */
const scoped = (claims, of = feed()) => server.feed(of.slug, of.userId, token(claims));

test('a read-only token reads', async () => {
  const amy = feed();
  const reader = server.feed('user', amy.userId, server.getReadOnlyToken('user', amy.userId));
  assert.deepEqual((await reader.get()).results, []);
  assert.deepEqual((await reader.following()).results, []);
});

test('a read-only token does not write', async () => {
  const amy = feed();
  const reader = server.feed('user', amy.userId, server.getReadOnlyToken('user', amy.userId));
  const { detail } = await refused(reader.addActivity(activity()), 403, 17);
  assert.equal(detail, SCOPE);
  await refused(reader.follow('user', name()), 403, 17);
  await refused(reader.unfollow('user', name()), 403, 17);
  await refused(reader.removeActivity({ foreignId: 'x' }), 403, 17);
});

test('a read-and-write token does both', async () => {
  const amy = feed();
  const writer = server.feed('user', amy.userId, server.getReadWriteToken('user', amy.userId));
  await writer.addActivity(activity());
  assert.equal((await writer.get()).results.length, 1);
});

test('a token for one feed does not open another', async () => {
  const bob = feed();
  const stranger = server.feed('user', bob.userId, server.getReadWriteToken('user', feed().userId));
  await refused(stranger.get(), 403, 17);
  await refused(stranger.addActivity(activity()), 403, 17);
});

test('a feed in a token may be written with a colon', async () => {
  const amy = feed();
  await scoped({ resource: '*', action: '*', feed_id: amy.id }, amy).get();
});

test('a token that names no feed is for every feed', async () => {
  await scoped({ resource: 'feed', action: 'read' }).get();
});

test('a token may list several resources, actions and feeds', async () => {
  const [amy, bob] = [feed(), feed()];
  const feeds = [amy, bob].map((one) => `${one.slug}${one.userId}`).join(',');
  for (const of of [amy, bob]) {
    const both = scoped({ resource: 'feed,follower', action: 'read,write', feed_id: feeds }, of);
    await both.addActivity(activity());
    assert.equal((await both.following()).results.length, 0);
    await refused(both.removeActivity({ foreignId: 'x' }), 403, 17);
  }
});

for (const [resource, call] of [
  ['follower', (of) => of.get()],
  ['feed', (of) => of.following()],
  ['activities', (of) => of.addActivity(activity())],
]) {
  test(`a token for ${resource} alone does not reach further`, async () => {
    await refused(call(scoped({ resource, action: '*', feed_id: '*' })), 403, 17);
  });
}

test('what concerns the whole app needs a token for every feed', async () => {
  const narrow = token({ resource: '*', action: '*', feed_id: 'user1' });
  await refused(server.post({ url: 'follow_many/', body: [], token: narrow }), 403, 17);
  await refused(server.get({ url: 'activities/', qs: { ids: name() }, token: narrow }), 403, 17);
});

test('a user id beside a scope does not make a user of it', async () => {
  await scoped({ resource: '*', action: '*', feed_id: '*', user_id: 'amy' }, feed('timeline', 'bob')).get();
});

const in_an_hour = () => Math.floor(Date.now() / 1000) + 3600;
const an_hour_ago = () => Math.floor(Date.now() / 1000) - 3600;

test('a token that has not expired is accepted', async () => {
  await scoped({ resource: '*', action: '*', feed_id: '*', exp: in_an_hour(), iat: an_hour_ago() }).get();
});

test('a token that has expired, or is not valid yet, is refused', async () => {
  await refused(scoped({ resource: '*', action: '*', feed_id: '*', exp: an_hour_ago() }).get(), 403, 17);
  await refused(scoped({ resource: '*', action: '*', feed_id: '*', nbf: in_an_hour() }).get(), 403, 17);
});

const claims = { resource: '*', action: '*', feed_id: '*' };
const unsigned = `${token(claims, { header: { alg: 'none', typ: 'JWT' } }).split('.').slice(0, 2).join('.')}.`;

for (const [what, as] of [
  ['signed with another secret', token(claims, { with: 'another-secret' })],
  ['that claims to be signed by nobody', unsigned],
  ['of another algorithm', token(claims, { header: { alg: 'HS512', typ: 'JWT' } })],
  ['that is no token', 'three.words.here'],
  ['of two parts', 'two.parts'],
  ['with no claims', token({})],
  ['of a scope without an action', token({ resource: '*' })],
  ['that is missing', null],
]) {
  test(`a token ${what} is refused`, async () => {
    const { status, body } = await request('GET', 'feed/user/amy/', { as });
    assert.deepEqual([status, body.code, body.exception], [403, 17, 'NotAllowedException']);
  });
}

test('a token of the wrong number of parts is told so', async () => {
  const { body } = await request('GET', 'feed/user/amy/', { as: 'two.parts' });
  assert.equal(body.detail, 'token contains an invalid number of segments');
});

for (const [what, query] of [['missing', ''], ['unknown', 'api_key=nobody'], ['empty', 'api_key=']]) {
  test(`a request whose API key is ${what} is refused`, async () => {
    const { status, body } = await request('GET', 'feed/user/amy/', { query });
    assert.deepEqual([status, body.code, body.exception], [401, 2, 'ApiKeyException']);
  });
}

test('the key is asked before the token', async () => {
  const { status } = await request('GET', 'feed/user/amy/', { query: 'api_key=nobody', as: 'nonsense' });
  assert.equal(status, 401);
});

test('a token may be announced as a bearer token, and its kind may go unsaid', async () => {
  for (const headers of [{ Authorization: `Bearer ${everything}` }, { Authorization: everything }]) {
    const { status } = await request('GET', 'feed/user/amy/', { as: null, headers });
    assert.equal(status, 200);
  }
});

test('a refusal gives no secret away', async () => {
  const { text } = await request('GET', 'feed/user/amy/', { as: token(claims, { with: 'another-secret' }) });
  assert.ok(!text.includes(secret) && !text.includes(key));
});
