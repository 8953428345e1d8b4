// Reactions, and what activities show of them.

import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, device, feed, name, refused } from '../pond.js';

/** An activity, and the devices of two who may react. */
const scene = async () => {
  const of = feed();
  const { id } = await of.addActivity(activity());
  return { of, id, amy: device(name('amy')), bob: device(name('bob')) };
};

test('a reaction is added, got, updated and deleted by who reacted', async () => {
  const { id, amy, bob } = await scene();
  const like = await amy.reactions.add('like', id, { strength: 1 });
  assert.deepEqual(Object.keys(like).filter((key) => key !== 'duration').sort(), [
    'activity_id', 'children_counts', 'created_at', 'data', 'id', 'kind', 'latest_children', 'parent', 'updated_at', 'user',
    'user_id',
  ]);
  assert.deepEqual((await bob.reactions.get(like.id)).data, { strength: 1 });
  await refused(bob.reactions.update(like.id, { strength: 2 }), 403, 17);
  assert.deepEqual((await amy.reactions.update(like.id, { strength: 2 })).data, { strength: 2 });
  await refused(bob.reactions.delete(like.id), 403, 17);
  await amy.reactions.delete(like.id);
  await refused(amy.reactions.delete(like.id), 404, 16);
});

test('a soft deletion is restored', async () => {
  const { id, amy } = await scene();
  const like = await amy.reactions.add('like', id);
  await amy.reactions.delete(like.id, { soft: true });
  assert.deepEqual((await amy.reactions.filter({ activity_id: id })).results, []);
  await amy.reactions.restore(like.id);
  assert.equal((await amy.reactions.filter({ activity_id: id })).results.length, 1);
});

test('reactions nest three deep and show their children', async () => {
  const { id, amy, bob } = await scene();
  const comment = await amy.reactions.add('comment', id, { text: 'one' });
  const answer = await bob.reactions.addChild('comment', comment, { text: 'two' });
  const third = await amy.reactions.addChild('like', answer);
  await refused(bob.reactions.addChild('like', third), 400, 4);
  const read = await amy.reactions.get(comment.id);
  assert.deepEqual(read.children_counts, { comment: 1 });
  assert.equal(read.latest_children.comment[0].latest_children.like[0].id, third.id);
});

test('reactions are filtered by activity, user and parent', async () => {
  const { id, amy, bob } = await scene();
  const like = await amy.reactions.add('like', id);
  const clap = await bob.reactions.add('clap', id);
  const child = await bob.reactions.addChild('like', like);
  const ids = async (conditions) => (await amy.reactions.filter(conditions)).results.map((reaction) => reaction.id);
  assert.deepEqual(await ids({ activity_id: id }), [clap.id, like.id]);
  assert.deepEqual(await ids({ activity_id: id, kind: 'clap' }), [clap.id]);
  assert.deepEqual(await ids({ reaction_id: like.id }), [child.id]);
  assert.deepEqual(await ids({ user_id: bob.userId }), [child.id, clap.id]);
  assert.deepEqual(await ids({ activity_id: id, id_lt: clap.id }), [like.id]);
});

test('an enriched feed shows counts, latest and own reactions', async () => {
  const { of, id, amy, bob } = await scene();
  await amy.reactions.add('like', id);
  await bob.reactions.add('like', id);
  const options = { withReactionCounts: true, withRecentReactions: true, withOwnReactions: true };
  const [read] = (await amy.feed(of.slug, of.userId).get(options)).results;
  assert.deepEqual(read.reaction_counts, { like: 2 });
  assert.equal(read.latest_reactions.like.length, 2);
  assert.deepEqual(read.own_reactions.like.map((reaction) => reaction.user_id), [amy.userId]);
  assert.deepEqual(read.latest_reactions_extra, { like: { next: '' } });
});

test('a reaction is posted to its target feeds, and only to open ones', async () => {
  const { id, amy } = await scene();
  const target = feed('notification');
  await refused(amy.reactions.add('like', id, {}, { targetFeeds: ['timeline:123'] }), 403, 17);
  const like = await amy.reactions.add('like', id, {}, { targetFeeds: [target.id] });
  const [group] = (await target.get()).results;
  assert.equal(group.activities[0].reaction, `SR:${like.id}`);
  await amy.reactions.delete(like.id);
  assert.deepEqual((await target.get()).results, []);
});
