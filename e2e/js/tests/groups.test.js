// Aggregated and notification feeds.

import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, refused } from '../pond.js';

test('activities of a verb and a day are a group, the newest first', async () => {
  const of = feed('aggregated');
  await of.addActivities([activity('a'), activity('b', { actor: 'bob' }), activity('c', { verb: 'sell' })]);
  const { results } = await of.get();
  assert.deepEqual(results.map((group) => [group.verb, group.activity_count, group.actor_count]), [['sell', 1, 1], ['buy', 2, 2]]);
  assert.deepEqual(results[1].activities.map((one) => one.object), ['b', 'a']);
});

test('groups are paged by their ids', async () => {
  const of = feed('aggregated');
  await of.addActivities(['one', 'two', 'three'].map((verb) => activity('x', { verb })));
  const [first] = (await of.get({ limit: 1 })).results;
  assert.deepEqual((await of.get({ id_lt: first.id })).results.map((group) => group.verb), ['two', 'one']);
});

test('what is marked shows at the next read, and seen is not read', async () => {
  const of = feed('notification');
  await of.addActivities([activity('a'), activity('b', { verb: 'sell' })]);
  const first = await of.get({ mark_seen: true });
  assert.deepEqual([first.unread, first.unseen], [2, 2]);
  const second = await of.get({ mark_read: [first.results[0].id] });
  assert.deepEqual([second.unread, second.unseen], [2, 0]);
  const third = await of.get({ mark_read: true });
  assert.deepEqual(third.results.map((group) => group.is_read), [true, false]);
  await of.addActivity(activity('c'));
  const last = await of.get();
  assert.deepEqual([last.unread, last.unseen], [1, 1]);
});

test('a broken format takes writes and refuses reads', async () => {
  const of = feed('invalid_aggregation_format');
  await of.addActivity(activity());
  const { detail } = await refused(of.get(), 400, 14);
  assert.equal(detail, 'the format contains syntax errors');
});

test('a ranked feed is read by score', async () => {
  const of = feed('ranked');
  await of.addActivities([activity('low', { popularity: 1 }), activity('high', { popularity: 100 })]);
  const { results } = await of.get({ ranking: 'popularity' });
  assert.deepEqual(results.map((one) => one.object), ['high', 'low']);
  assert.equal(typeof results[0].score, 'number');
  await refused(of.get({ ranking: 'unknown' }), 400, 12);
});

test('ranking variables are an object, whatever is read', async () => {
  const of = feed('ranked');
  await of.addActivity(activity());
  await of.get({ ranking: 'popularity', rankingVars: { boost: 2 } });
  await refused(of.get({ rankingVars: ['popular', 1] }), 400, 4);
  const { results } = await of.get({ ranking: 'popularity', withScoreVars: true });
  assert.deepEqual(Object.keys(results[0].score_vars).sort(), ['popularity', 'time']);
});
