import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, fill, name, objects, refused, second, server } from '../pond.js';

const pair = () => [feed('user', 'amy'), feed('timeline', 'bob')];
const followed = async (of, options) => (await of.following(options)).results.map(({ target_id }) => target_id);
const followers = async (of, options) => (await of.followers(options)).results.map(({ feed_id }) => feed_id);

test('what is posted after a follow reaches the follower', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  await fill(amy, 'skates', 'hat');
  assert.deepEqual(await objects(bob), ['hat', 'skates']);
});

test('a copy tells where it came from', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  const { duration, ...added } = await amy.addActivity(activity());
  assert.deepEqual((await bob.get()).results, [{ ...added, origin: amy.id }]);
  assert.equal((await amy.get()).results[0].origin, null);
});

test('a follow brings the newest hundred activities unless it says otherwise', async () => {
  const [amy, bob] = pair();
  const count = 120;
  for (const start of [0, 60]) {
    const some = Array.from({ length: 60 }, (_, index) => start + index);
    await amy.addActivities(some.map((index) => activity(`thing-${index}`, { time: second(index), foreign_id: name() })));
  }
  await bob.follow('user', amy.userId);
  const things = [...(await objects(bob, { limit: 100 })), ...(await objects(bob, { limit: 100, offset: 100 }))];
  assert.deepEqual(things, Array.from({ length: 100 }, (_, index) => `thing-${count - 1 - index}`));
});

test('a follow brings as many activities as it asks for, the newest', async () => {
  const [amy, bob] = pair();
  await fill(amy, 'a', 'b', 'c', 'd');
  await bob.follow('user', amy.userId, { limit: 2 });
  assert.deepEqual(await objects(bob), ['d', 'c']);
});

test('a follow that asks for nothing brings only what is posted later', async () => {
  const [amy, bob] = pair();
  await fill(amy, 'a', 'b');
  await bob.follow('user', amy.userId, { limit: 0 });
  assert.deepEqual(await objects(bob), []);
  await amy.addActivity(activity('c'));
  assert.deepEqual(await objects(bob), ['c']);
});

test('an old activity that is posted after the follow reaches the follower', async () => {
  const [amy, bob] = pair();
  await amy.addActivity(activity('new', { time: second(100) }));
  await bob.follow('user', amy.userId, { limit: 0 });
  await amy.addActivity(activity('old', { time: second(1) }));
  assert.deepEqual(await objects(bob), ['old']);
});

for (const limit of [1001, -1]) {
  test(`a copy limit of ${limit} is refused`, async () => {
    const [amy, bob] = pair();
    const { detail } = await refused(bob.follow('user', amy.userId, { limit }), 400, 4);
    assert.equal(detail, 'activity_copy_limit must be a non-negative number not greater than 1000');
    assert.deepEqual(await followed(bob), []);
  });
}

test('a copy limit of a thousand is accepted', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId, { limit: 1000 });
  assert.deepEqual(await followed(bob), [amy.id]);
});

test('copies do not travel further', async () => {
  const [amy, bob] = pair();
  const cat = feed('timeline', 'cat');
  await bob.follow('user', amy.userId);
  await cat.follow('timeline', bob.userId);
  await fill(amy, 'skates');
  assert.deepEqual([await objects(bob), await objects(cat)], [['skates'], []]);
});

test('an activity that arrives by two ways is seen once', async () => {
  const [amy, bob] = pair();
  const club = feed('user', 'club');
  await bob.follow('user', amy.userId);
  await bob.follow('user', club.userId);
  const skates = activity('skates', { foreign_id: name(), time: second(1) });
  await amy.addActivity(skates);
  await club.addActivity(skates);
  const { results } = await bob.get();
  assert.deepEqual(results.map(({ object, origin }) => [object, origin]), [['skates', amy.id]]);
});

test('the same words at the same time are one activity, even without a foreign id', async () => {
  const [amy, bob] = pair();
  const club = feed('user', 'club');
  await bob.follow('user', amy.userId);
  await bob.follow('user', club.userId);
  await amy.addActivity(activity('skates', { time: second(1) }));
  await club.addActivity(activity('skates', { time: second(1) }));
  assert.deepEqual(await objects(bob), ['skates']);
});

test('what arrives by two ways stays when one of them ends', async () => {
  const [amy, bob] = pair();
  const club = feed('user', 'club');
  const skates = activity('skates', { foreign_id: name(), time: second(1) });
  await bob.follow('user', amy.userId);
  await amy.addActivity(skates);
  await bob.unfollow('user', amy.userId);
  await club.addActivity(skates);
  await bob.follow('user', club.userId);
  const { results } = await bob.get();
  assert.deepEqual(results.map(({ object, origin }) => [object, origin]), [['skates', club.id]]);
});

test('unfollowing takes away what the follow brought', async () => {
  const [amy, bob] = pair();
  await bob.addActivity(activity('own', { time: second(50) }));
  await fill(amy, 'skates', 'hat');
  await bob.follow('user', amy.userId);
  await bob.unfollow('user', amy.userId);
  assert.deepEqual(await objects(bob), ['own']);
  await amy.addActivity(activity('late'));
  assert.deepEqual(await objects(bob), ['own']);
});

test('unfollowing can keep what the follow brought', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  await fill(amy, 'skates', 'hat');
  await bob.unfollow('user', amy.userId, { keepHistory: true });
  await amy.addActivity(activity('late'));
  assert.deepEqual(await objects(bob), ['hat', 'skates']);
  assert.deepEqual(await followed(bob), []);
});

test('an activity that is removed leaves a kept history too', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  const [skates] = await fill(amy, 'skates', 'hat');
  await bob.unfollow('user', amy.userId, { keepHistory: true });
  await amy.removeActivity(skates.id);
  assert.deepEqual(await objects(bob), ['hat']);
});

test('following again brings the activities again', async () => {
  const [amy, bob] = pair();
  await fill(amy, 'a', 'b', 'c');
  await bob.follow('user', amy.userId);
  await bob.unfollow('user', amy.userId);
  await bob.follow('user', amy.userId, { limit: 1 });
  assert.deepEqual(await objects(bob), ['c']);
});

test('following twice is following once', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  await bob.follow('user', amy.userId);
  await fill(amy, 'skates');
  assert.deepEqual([await followed(bob), await objects(bob)], [[amy.id], ['skates']]);
});

test('unfollowing a feed that is not followed succeeds', async () => {
  const [amy, bob] = pair();
  assert.equal(typeof (await bob.unfollow('user', amy.userId)).duration, 'string');
});

test('a follow relation names both feeds and its times', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  const [relation] = (await bob.following()).results;
  const { created_at, updated_at, ...feeds } = relation;
  assert.deepEqual(feeds, { feed_id: bob.id, target_id: amy.id });
  for (const time of [created_at, updated_at]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual((await amy.followers()).results, [relation]);
});

test('follows are listed newest first, page by page', async () => {
  const bob = feed('timeline');
  const targets = Array.from({ length: 5 }, () => feed());
  for (const target of targets) await bob.follow('user', target.userId);
  const newestFirst = targets.map(({ id }) => id).reverse();
  assert.deepEqual(await followed(bob), newestFirst);
  assert.deepEqual(await followed(bob, { limit: 2 }), newestFirst.slice(0, 2));
  assert.deepEqual(await followed(bob, { limit: 2, offset: 3 }), newestFirst.slice(3));
  assert.deepEqual(await followed(bob, { offset: 5 }), []);
});

test('followers are listed newest first, page by page', async () => {
  const amy = feed();
  const sources = Array.from({ length: 5 }, () => feed('timeline'));
  for (const source of sources) await source.follow('user', amy.userId);
  const newestFirst = sources.map(({ id }) => id).reverse();
  assert.deepEqual(await followers(amy), newestFirst);
  assert.deepEqual(await followers(amy, { limit: 2, offset: 1 }), newestFirst.slice(1, 3));
});

test('both lists can be asked about certain feeds', async () => {
  const [amy, bob] = pair();
  const cat = feed();
  await bob.follow('user', amy.userId);
  await bob.follow('user', cat.userId);
  assert.deepEqual(await followed(bob, { filter: [amy.id] }), [amy.id]);
  assert.deepEqual(await followed(bob, { filter: [amy.id, `user:${name()}`] }), [amy.id]);
  assert.deepEqual(await followed(bob, { filter: [`user:${name()}`] }), []);
  assert.deepEqual(await followers(amy, { filter: [bob.id] }), [bob.id]);
  assert.deepEqual(await followers(amy, { filter: [cat.id] }), []);
});

test('a page of follows has 25 entries unless the request says otherwise', async () => {
  const bob = feed('timeline');
  await server.followMany(Array.from({ length: 30 }, () => ({ source: bob.id, target: feed().id })));
  assert.equal((await followed(bob)).length, 25);
  assert.equal((await followed(bob, { limit: 100 })).length, 30);
});

test('a feed cannot follow itself', async () => {
  const amy = feed();
  await refused(amy.follow('user', amy.userId), 400, 4);
});

for (const slug of ['aggregated', 'notification']) {
  test(`a feed of the group ${slug} cannot be followed`, async () => {
    await refused(feed('timeline').follow(slug, name()), 400, 4);
  });
}

test('an aggregated feed can follow', async () => {
  const amy = feed();
  const news = feed('aggregated');
  await news.follow('user', amy.userId);
  assert.deepEqual(await followers(amy), [news.id]);
});

test('many follows are made at once, each with copies', async () => {
  const [amy, bob] = pair();
  const [cat, dan] = [feed(), feed('timeline')];
  await fill(amy, 'a', 'b');
  await fill(cat, 'c');
  await server.followMany([
    { source: bob.id, target: amy.id },
    { source: bob.id, target: cat.id },
    { source: dan.id, target: amy.id },
  ]);
  assert.deepEqual((await followed(bob)).sort(), [amy.id, cat.id].sort());
  assert.deepEqual((await objects(bob)).sort(), ['a', 'b', 'c']);
  assert.deepEqual(await objects(dan), ['b', 'a']);
});

test('many follows share a copy limit, and each may have its own', async () => {
  const [amy, bob] = pair();
  const [cat, dan] = [feed(), feed('timeline')];
  await fill(amy, 'a', 'b', 'c');
  await fill(cat, 'd', 'e', 'f');
  const own = { source: bob.id, target: cat.id, activity_copy_limit: 2 };
  await server.followMany([{ source: bob.id, target: amy.id }, own, { source: dan.id, target: amy.id }], 1);
  assert.deepEqual((await objects(bob)).sort(), ['c', 'e', 'f']);
  assert.deepEqual(await objects(dan), ['c']);
});

test('many follows with a copy limit above a thousand are refused before their groups are looked at', async () => {
  const follows = [{ source: 'nogroup:1', target: 'nogroup:2' }];
  const { detail } = await refused(server.followMany(follows, 5000), 400, 4);
  assert.equal(detail, 'activity_copy_limit must be a non-negative number not greater than 1000');
});

test('one bad follow refuses all of them', async () => {
  const [amy, bob] = pair();
  await refused(server.followMany([{ source: bob.id, target: amy.id }, { source: bob.id, target: 'nogroup:1' }]), 400, 6);
  assert.deepEqual(await followed(bob), []);
});

test('following nothing at all succeeds', async () => {
  await server.followMany([]);
  await server.unfollowMany([]);
});

test('many follows are ended at once, each with or without its history', async () => {
  const [amy, bob] = pair();
  const cat = feed();
  await server.followMany([amy, cat].map(({ id }) => ({ source: bob.id, target: id })));
  await fill(amy, 'a');
  await fill(cat, 'c');
  await server.unfollowMany([
    { source: bob.id, target: amy.id, keep_history: true },
    { source: bob.id, target: cat.id },
  ]);
  assert.deepEqual([await followed(bob), await objects(bob)], [[], ['a']]);
});

test('a bad item in many unfollows is refused', async () => {
  const { detail } = await refused(server.unfollowMany([{ source: feed('timeline').id, target: 7 }]), 400, 4);
  assert.equal(detail, 'invalid request payload');
});

test('follow statistics count both sides', async () => {
  const [amy, bob] = pair();
  const cat = feed();
  await bob.follow('user', amy.userId);
  await cat.follow('user', amy.userId);
  await amy.follow('user', cat.userId);
  const { results } = await amy.followStats();
  assert.deepEqual(results, { followers: { count: 2, feed: amy.id }, following: { count: 1, feed: amy.id } });
});

test('follow statistics can be asked about certain groups', async () => {
  const [amy, bob] = pair();
  const cat = feed();
  await bob.follow('user', amy.userId);
  await cat.follow('user', amy.userId);
  await amy.follow('user', cat.userId);
  const counts = async (options) => {
    const { followers, following } = (await amy.followStats(options)).results;
    return [followers.count, following.count];
  };
  assert.deepEqual(await counts({ followerSlugs: ['timeline'] }), [1, 1]);
  assert.deepEqual(await counts({ followerSlugs: ['timeline', 'user'], followingSlugs: ['timeline'] }), [2, 0]);
  assert.deepEqual(await counts({ followerSlugs: ['nogroup'], followingSlugs: ['nogroup'] }), [0, 0]);
});

test('statistics go back when a follow ends', async () => {
  const [amy, bob] = pair();
  await bob.follow('user', amy.userId);
  await bob.unfollow('user', amy.userId);
  const { results } = await amy.followStats();
  assert.equal(results.followers.count, 0);
});
