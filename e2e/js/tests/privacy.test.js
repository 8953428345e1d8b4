// Audit logs, reports of users, and the removal of what somebody has.

import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, device, feed, name, refused, server } from '../pond.js';

test('the log tells what was done to a reaction, and by whom', async () => {
  const amy = name('amy');
  const added = await feed().addActivity(activity());
  const { id } = await device(amy).reactions.add('like', added.id);
  await device(amy).reactions.update(id, { word: 'very' });
  const { audit_logs: logs, next } = await server.auditLogs.filter({ entity_type: 'reaction', entity_id: id });
  assert.deepEqual(logs.map((log) => [log.action, log.user_id, log.entity_id]), [['updated', amy, id], ['created', amy, id]]);
  assert.equal(next, '');
});

test('the log of a user is read page by page', async () => {
  const amy = name('amy');
  const phone = device(amy);
  const own = phone.feed('user', amy);
  for (const thing of ['one', 'two', 'three']) await own.addActivity({ verb: 'buy', object: thing });
  const first = await server.auditLogs.filter({ user_id: amy, limit: 2 });
  assert.deepEqual(first.audit_logs.map((log) => [log.entity_type, log.action]), Array(2).fill(['activity', 'created']));
  const second = await server.auditLogs.filter({ user_id: amy, limit: 2, next: first.next });
  assert.equal(second.audit_logs.length, 1);
  const back = await server.auditLogs.filter({ user_id: amy, limit: 2, prev: second.prev });
  assert.deepEqual(back.audit_logs, first.audit_logs);
});

test('a log is of something, and for the application alone', async () => {
  await refused(server.auditLogs.filter({}), 400, 4);
  await refused(server.auditLogs.filter({ entity_type: 'reaction' }), 400, 4);
  await refused(device(name('amy')).auditLogs.filter({ user_id: 'amy' }), 403, 17);
});

test('a user is reported, by another user or by the application', async () => {
  const [amy, bob] = [name('amy'), name('bob')];
  const { flag_id: flag, target_user_id: target, created_at: at } = await server.flagUser(bob, { user_id: amy, reason: 'spam' });
  assert.equal(target, bob);
  assert.ok(flag && Date.parse(at));
  assert.equal((await server.flagUser(bob, { reason: 'spam' })).flag_id, flag);
  await refused(server.flagUser('', {}), 400, 4);
});

test('a user is reported by the name that the client has of them', async () => {
  const [amy, bob] = [name('amy'), name('bob')];
  const flagged = await server.user(bob).flag({ user_id: amy, reason: 'spam' });
  assert.equal(flagged.target_user_id, bob);
});

test('what a user has is told by its ids, and goes by them', async () => {
  const amy = name('amy');
  const phone = device(amy);
  const posted = await phone.feed('user', amy).addActivity({ verb: 'buy', object: 'skates' });
  const liked = await phone.reactions.add('like', posted.id);
  const told = async () => (await server.exportUserActivitiesAndReactionIDs(amy)).export;
  assert.deepEqual(await told(), {
    user_id: amy, activity_count: 1, reaction_count: 1, activity_ids: [posted.id], reaction_ids: [liked.id],
  });
  await server.deleteReactions([liked.id]);
  await server.deleteActivities([{ id: posted.id, remove_from_feeds: [`user:${amy}`] }]);
  const left = await told();
  assert.deepEqual([left.activity_count, left.reaction_count], [0, 0]);
  assert.equal((await server.feed('user', amy).get()).results.length, 0);
});

test('nothing is recommended to anybody', async () => {
  const amy = name('amy');
  for (const client of [device(amy), server]) {
    const { results, next } = await client.personalizedFeed({ user_id: amy, feed_slug: 'timeline', limit: 10 });
    assert.deepEqual({ results, next }, { results: [], next: '' });
  }
});

test('what is recommended to another user is nobody’s business', async () => {
  const amy = device(name('amy'));
  await refused(amy.personalizedFeed({ user_id: 'bob', feed_slug: 'timeline', endpoint: 'x' }), 403, 17);
  await refused(amy.personalizedFeed({ endpoint: 'none' }), 404, 16);
});
