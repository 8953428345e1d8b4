// Realtime, by the Faye client inside the official one.

import assert from 'node:assert/strict';
import test, { after } from 'node:test';

import { connect } from '../calls.js';
import { activity, appId, key, name, options, server } from '../pond.js';

const clients = [];
/** A client of its own, for subscriptions. */
const connected = (token) => {
  const client = connect(key, token, appId, options);
  clients.push(client);
  return client;
};
after(() => clients.forEach((client) => client.getFayeClient().disconnect()));

test('a subscriber is told what is added and removed', async () => {
  const amy = name('amy');
  const told = [];
  let wake = () => {};
  const client = connected(server.createUserToken(amy));
  await client.feed('user', amy).subscribe((message) => {
    told.push(message);
    wake();
  });
  const next = async () => {
    while (told.length === 0) await new Promise((resolve) => (wake = resolve));
    return told.shift();
  };
  const of = server.feed('user', amy);
  const { id } = await of.addActivity(activity('skates', { foreign_id: 'skates:1' }));
  const added = await next();
  assert.deepEqual([added.feed, added.new[0].id, added.new[0].object], [`user:${amy}`, id, 'skates']);
  await of.removeActivity(id);
  const removed = await next();
  assert.deepEqual(removed.deleted, [id]);
  assert.equal(removed.deleted_foreign_ids[0][0], 'skates:1');
});

test('a subscriber of a notification feed is told what is marked', async () => {
  const amy = name('amy');
  const told = [];
  let wake = () => {};
  const client = connected(server.createUserToken(amy));
  await client.feed('notification', amy).subscribe((message) => {
    told.push(message);
    wake();
  });
  const next = async () => {
    while (told.length === 0) await new Promise((resolve) => (wake = resolve));
    return told.shift();
  };
  const of = server.feed('notification', amy);
  await of.addActivity(activity('skates'));
  assert.equal(typeof (await next()).new[0].group, 'string');
  const [group] = (await of.get({ mark_seen: true })).results;
  assert.equal((await next()).mark_seen, true);
  await of.get({ mark_read: [group.id] });
  assert.deepEqual((await next()).mark_read, [group.id]);
});

test('a token of another feed does not subscribe', async () => {
  const client = connected(server.createUserToken(name('amy')));
  // What the client answers can be waited for, and yet is no promise.
  await assert.rejects(async () => await client.feed('timeline', name('bob')).subscribe(() => {}));
});

test('who has unsubscribed is not told', async () => {
  const amy = name('amy');
  const client = connected(server.createUserToken(amy));
  const [left, kept] = [client.feed('user', amy), client.feed('timeline', amy)];
  const told = [];
  let wake;
  const heard = new Promise((resolve) => (wake = resolve));
  await left.subscribe((message) => told.push(message.feed));
  await kept.subscribe((message) => wake(told.push(message.feed)));
  left.unsubscribe();
  // A connection hears of things in the order in which they happened: what was left would be told first.
  await server.feed('user', amy).addActivity(activity());
  await server.feed('timeline', amy).addActivity(activity());
  await heard;
  assert.deepEqual(told, [kept.id]);
});
