import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, name, objects, refused, second } from '../pond.js';

/** An activity of `of` with these targets; returns its foreign id and time. */
const addressed = async (of, to, count = 1) => {
  const identity = { foreign_id: name(), time: second(count) };
  await of.addActivity(activity('skates', { ...identity, to: to.map(({ id }) => id) }));
  return identity;
};

const has = async (...feeds) => Promise.all(feeds.map(async (one) => (await objects(one)).length));

test('an activity is also in the feeds that it is addressed to', async () => {
  const [amy, bob, club] = [feed(), feed(), feed('timeline')];
  await addressed(amy, [bob, club]);
  assert.deepEqual(await has(amy, bob, club), [1, 1, 1]);
});

test('an addressed activity names its targets, and its origin is null in them', async () => {
  const [amy, bob] = [feed(), feed()];
  await addressed(amy, [bob]);
  for (const one of [amy, bob]) {
    const [{ to, origin }] = (await one.get()).results;
    assert.deepEqual([to, origin], [[bob.id], null]);
  }
});

test('an activity without targets has no list of them', async () => {
  const amy = feed();
  await amy.addActivity(activity('skates', { to: [] }));
  assert.equal('to' in (await amy.get()).results[0], false);
});

test('an addressed activity reaches the followers of its targets', async () => {
  const [amy, club, bob] = [feed(), feed(), feed('timeline')];
  await bob.follow('user', club.userId);
  await addressed(amy, [club]);
  const [{ object, origin }] = (await bob.get()).results;
  assert.deepEqual([object, origin], ['skates', club.id]);
});

test('a follower of both the feed and the target sees the activity once, from the feed', async () => {
  const [amy, club, bob] = [feed(), feed(), feed('timeline')];
  await bob.follow('user', amy.userId);
  await bob.follow('user', club.userId);
  await addressed(amy, [club], 1);
  await addressed(club, [amy], 2);
  const { results } = await bob.get();
  assert.deepEqual(results.map(({ origin }) => origin), [club.id, amy.id]);
});

test('a follow brings what was addressed to its target', async () => {
  const [amy, club, bob] = [feed(), feed(), feed('timeline')];
  await addressed(amy, [club]);
  await bob.follow('user', club.userId);
  assert.deepEqual(await objects(bob), ['skates']);
});

test('each of many activities has its own targets', async () => {
  const [amy, bob, cat] = [feed(), feed(), feed()];
  await amy.addActivities([activity('one', { to: [bob.id] }), activity('two', { to: [cat.id] })]);
  assert.deepEqual([await objects(bob), await objects(cat)], [['one'], ['two']]);
});

test('a target that carries a token is the target alone', async () => {
  const [amy, bob] = [feed(), feed()];
  const { to } = await amy.addActivity(activity('skates', { to: [`${bob.id} ${bob.token}`] }));
  assert.deepEqual(to, [bob.id]);
  assert.deepEqual(await has(bob), [1]);
});

test('removing an activity removes it from its targets and their followers', async () => {
  const [amy, club, bob] = [feed(), feed(), feed('timeline')];
  await bob.follow('user', club.userId);
  const { foreign_id } = await addressed(amy, [club]);
  await amy.removeActivity({ foreignId: foreign_id });
  assert.deepEqual(await has(amy, club, bob), [0, 0, 0]);
});

test('targets can be added and removed', async () => {
  const [amy, bob, cat, dan] = [feed(), feed(), feed(), feed()];
  const { foreign_id, time } = await addressed(amy, [bob, cat]);
  const answer = await amy.updateActivityToTargets(foreign_id, time, null, [dan.id], [bob.id]);
  assert.deepEqual([answer.added, answer.removed], [[dan.id], [bob.id]]);
  assert.deepEqual([...answer.activity.to].sort(), [cat.id, dan.id].sort());
  assert.deepEqual(await has(amy, bob, cat, dan), [1, 0, 1, 1]);
});

test('targets can be replaced', async () => {
  const [amy, bob, cat, dan] = [feed(), feed(), feed(), feed()];
  const { foreign_id, time } = await addressed(amy, [bob, cat]);
  const answer = await amy.updateActivityToTargets(foreign_id, time, [cat.id, dan.id]);
  assert.deepEqual([answer.added, answer.removed], [[dan.id], [bob.id]]);
  assert.deepEqual(await has(amy, bob, cat, dan), [1, 0, 1, 1]);
});

test('an activity whose last target is gone has no list of targets', async () => {
  const [amy, bob] = [feed(), feed()];
  const { foreign_id, time } = await addressed(amy, [bob]);
  const { activity: updated } = await amy.updateActivityToTargets(foreign_id, time, null, null, [bob.id]);
  assert.equal('to' in updated, false);
  assert.equal('to' in (await amy.get()).results[0], false);
});

test('changed targets reach the followers of the targets', async () => {
  const [amy, club, gym, bob, cat] = [feed(), feed(), feed(), feed('timeline'), feed('timeline')];
  await bob.follow('user', club.userId);
  await cat.follow('user', gym.userId);
  const { foreign_id, time } = await addressed(amy, [club]);
  await amy.updateActivityToTargets(foreign_id, time, [gym.id]);
  assert.deepEqual(await has(bob, cat), [0, 1]);
});

test('the targets of several activities are updated at once', async () => {
  const [amy, bob, cat] = [feed(), feed(), feed()];
  const one = await addressed(amy, [bob], 1);
  const two = await addressed(amy, [bob], 2);
  const answer = await amy._updateActivityToTargetsMany([
    { foreignId: one.foreign_id, time: one.time, newTargets: [cat.id] },
    { foreignId: two.foreign_id, time: two.time, addedTargets: [cat.id] },
  ]);
  assert.deepEqual([answer.added, answer.removed], [[cat.id], [bob.id]]);
  assert.deepEqual(await has(bob, cat), [1, 2]);
});

const update = (of, body) =>
  of.client.post({ url: `feed_targets/${of.slug}/${of.userId}/activity_to_targets/`, body, token: of.token });

test('targets can be updated by the id of the activity', async () => {
  const [amy, bob] = [feed(), feed()];
  const { id } = await amy.addActivity(activity());
  await update(amy, { id, added_targets: [bob.id] });
  assert.deepEqual(await has(bob), [1]);
});

test('replacing targets and adding to them at once is refused', async () => {
  const [amy, bob, cat] = [feed(), feed(), feed()];
  const identity = await addressed(amy, [bob]);
  await refused(update(amy, { ...identity, new_targets: [cat.id], added_targets: [cat.id] }), 400, 4);
  assert.deepEqual(await has(bob, cat), [1, 0]);
});

test('adding and removing the same target at once is refused', async () => {
  const [amy, bob] = [feed(), feed()];
  const identity = await addressed(amy, []);
  await refused(update(amy, { ...identity, added_targets: [bob.id], removed_targets: [bob.id] }), 400, 4);
});

test('the targets of an unknown activity cannot be updated', async () => {
  const [amy, bob] = [feed(), feed()];
  await refused(amy.updateActivityToTargets(name(), second(1), [bob.id]), 404, 16);
});

test('a target of an unknown group is refused, and nothing is added', async () => {
  const amy = feed();
  await refused(amy.addActivity(activity('skates', { to: ['nogroup:1'] })), 400, 6);
  assert.deepEqual(await has(amy), [0]);
});

for (const [what, to] of [
  ['a string', 'user:1'],
  ['an object', { feed: 'user:1' }],
  ['a list with a number', [7]],
  ['a feed without a name', ['user:']],
  ['a word', ['user']],
]) {
  test(`targets that are ${what} are refused`, async () => {
    await refused(feed().addActivity(activity('skates', { to })), 400, 4);
  });
}

test('a hundred targets are accepted, and one more is refused', async () => {
  const amy = feed();
  const to = Array.from({ length: 101 }, () => feed().id);
  await refused(amy.addActivity(activity('skates', { to })), 400, 4);
  assert.equal((await amy.addActivity(activity('skates', { to: to.slice(1) }))).to.length, 100);
});

test('adding to many feeds refuses targets', async () => {
  const [amy, bob] = [feed(), feed()];
  await refused(amy.client.addToMany(activity('skates', { to: [bob.id] }), [amy.id]), 400, 4);
  assert.deepEqual(await has(amy, bob), [0, 0]);
});
