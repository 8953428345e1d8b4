// What a user token may do: the table of feed group policies.

import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, device, feed, fill, name, objects, refused, second, server } from '../pond.js';

const POLICY =
  'You do not have permission to do this, you got this error because there are no policies allowing this request on this ' +
  'application. Please consult the documentation https://getstream.io/docs/';

/** Amy's device, and Bob, who is somebody else. */
const two = () => {
  const [amy, bob] = [name('amy'), name('bob')];
  return { amy, bob, phone: device(amy) };
};

const own = (user, object = 'skates') => ({ actor: `SU:${user}`, verb: 'buy', object });
const forbidden = async (promise) => assert.equal((await refused(promise, 403, 17)).detail, POLICY);

for (const group of ['user', 'timeline', 'flat', 'topic', 'secret']) {
  test(`a user reads the own feed of the group ${group}`, async () => {
    const { amy, phone } = two();
    assert.deepEqual((await phone.feed(group, amy).get()).results, []);
  });
}

for (const group of ['timeline', 'flat', 'secret', 'aggregated', 'notification']) {
  test(`a user does not read another's feed of the private group ${group}`, async () => {
    const { bob, phone } = two();
    await forbidden(phone.feed(group, bob).get());
  });
}

test("a user reads another's user feed", async () => {
  const { bob, phone } = two();
  await fill(server.feed('user', bob), 'skates');
  assert.deepEqual(await objects(phone.feed('user', bob)), ['skates']);
});

for (const group of ['user', 'timeline', 'notification']) {
  test(`a user adds to the own ${group} feed, as the actor by default`, async () => {
    const { amy, phone } = two();
    const { actor } = await phone.feed(group, amy).addActivity({ verb: 'buy', object: 'skates' });
    assert.equal(actor, `SU:${amy}`);
  });
}

for (const actor of ['SU:somebody-else', 'somebody-else', 'SU:']) {
  test(`a user does not add an activity of the actor ${actor}`, async () => {
    const { amy, phone } = two();
    await forbidden(phone.feed('user', amy).addActivity({ actor, verb: 'buy', object: 'skates' }));
    assert.deepEqual(await objects(server.feed('user', amy)), []);
  });
}

test('one foreign actor among many activities refuses them all', async () => {
  const { amy, bob, phone } = two();
  await forbidden(phone.feed('user', amy).addActivities([own(amy), own(bob)]));
  assert.deepEqual(await objects(server.feed('user', amy)), []);
});

for (const group of ['timeline', 'user', 'flat']) {
  test(`a user does not add to another's ${group} feed`, async () => {
    const { amy, bob, phone } = two();
    await forbidden(phone.feed(group, bob).addActivity(own(amy)));
    assert.deepEqual(await objects(server.feed(group, bob)), []);
  });
}

test("a user adds to another's notification feed", async () => {
  const { amy, bob, phone } = two();
  await phone.feed('notification', bob).addActivity(own(amy));
});

for (const group of ['timeline', 'user']) {
  test(`a user does not address an activity to another's ${group} feed`, async () => {
    const { amy, bob, phone } = two();
    await forbidden(phone.feed('user', amy).addActivity({ ...own(amy), to: [`${group}:${bob}`] }));
    assert.deepEqual(await objects(server.feed('user', amy)), []);
  });
}

test("a user addresses an activity to another's notification feed", async () => {
  const { amy, bob, phone } = two();
  const { to } = await phone.feed('user', amy).addActivity({ ...own(amy), to: [`notification:${bob}`] });
  assert.deepEqual(to, [`notification:${bob}`]);
});

test('a user removes from the own feed, even what is not there', async () => {
  const { amy, phone } = two();
  const mine = phone.feed('user', amy);
  const { id } = await mine.addActivity(own(amy));
  await mine.removeActivity(id);
  await mine.removeActivity(id);
  assert.deepEqual(await objects(mine), []);
});

for (const group of ['user', 'timeline', 'notification']) {
  test(`a user does not remove from another's ${group} feed`, async () => {
    const { bob, phone } = two();
    const [{ id }] = await fill(server.feed(group, bob), 'skates');
    await forbidden(phone.feed(group, bob).removeActivity(id));
    await forbidden(phone.feed(group, bob).removeActivity({ foreignId: name() }));
  });
}

for (const source of ['timeline', 'user', 'notification']) {
  for (const target of ['user', 'timeline']) {
    test(`a user's own ${source} feed follows and unfollows another's ${target} feed`, async () => {
      const { amy, bob, phone } = two();
      const mine = phone.feed(source, amy);
      await mine.follow(target, bob);
      const { results } = await mine.following();
      assert.deepEqual(results.map(({ target_id }) => target_id), [`${target}:${bob}`]);
      await mine.unfollow(target, bob);
      assert.deepEqual((await mine.following()).results, []);
    });
  }
}

test("a user does not make another's feed follow or unfollow", async () => {
  const { amy, bob, phone } = two();
  await server.feed('timeline', bob).follow('user', 'cat');
  await forbidden(phone.feed('timeline', bob).follow('user', amy));
  await forbidden(phone.feed('user', bob).follow('user', amy));
  await forbidden(phone.feed('timeline', bob).unfollow('user', 'cat'));
  assert.equal((await server.feed('timeline', bob).following()).results.length, 1);
});

test("a user lists neither the followers of another's timeline nor whom another's user feed follows", async () => {
  const { bob, phone } = two();
  await forbidden(phone.feed('timeline', bob).followers());
  await forbidden(phone.feed('user', bob).following());
});

for (const group of ['user', 'timeline']) {
  test(`a user lists both sides of the own ${group} feed`, async () => {
    const { amy, phone } = two();
    const mine = phone.feed(group, amy);
    assert.deepEqual([(await mine.followers()).results, (await mine.following()).results], [[], []]);
  });
}

test('a user reads the statistics of the own feed, and not those of others', async () => {
  const { amy, bob, phone } = two();
  assert.equal((await phone.feed('user', amy).followStats()).results.followers.count, 0);
  await forbidden(phone.feed('user', bob).followStats());
});

test('a user gets activities by id', async () => {
  const { phone } = two();
  const [{ id }] = await fill(feed(), 'skates');
  assert.equal((await phone.getActivities({ ids: [id] })).results[0].id, id);
});

for (const [what, url, body] of [
  ['update activities', 'activities/', () => ({ activities: [activity('hat', { foreign_id: name(), time: second(1) })] })],
  ['update an activity partially', 'activity/', (id) => ({ changes: [{ id, set: { price: 1 } }] })],
  ['follow in bulk', 'follow_many/', () => [{ source: 'timeline:1', target: 'user:1' }]],
  ['unfollow in bulk', 'unfollow_many/', () => [{ source: 'timeline:1', target: 'user:1' }]],
  ['add to many feeds', 'feed/add_to_many/', () => ({ feeds: ['user:1'], activity: activity() })],
]) {
  test(`a user does not ${what}`, async () => {
    const { phone } = two();
    const [{ id }] = await fill(feed(), 'skates');
    await refused(phone.post({ url, body: body(id), token: phone.userToken }), 403, 17);
  });
}

test('a user does not change the targets of an activity', async () => {
  const { amy, phone } = two();
  const identity = { foreign_id: name(), time: second(1) };
  await phone.feed('user', amy).addActivity({ ...own(amy), ...identity });
  const update = phone.feed('user', amy).updateActivityToTargets(identity.foreign_id, identity.time, ['notification:1']);
  await refused(update, 403, 17);
});

test('the policy is asked before the feed group is looked up', async () => {
  const { amy, phone } = two();
  await forbidden(phone.feed('user', amy).addActivity({ ...own('bob'), to: ['nogroup:1'] }));
});

test('extra claims in a user token change nothing', async () => {
  const { amy, bob } = two();
  const phone = device(amy);
  phone.userToken = server.createUserToken(amy, { role: 'admin', user_group: 'admins' });
  await forbidden(phone.feed('timeline', bob, phone.userToken).get());
  await phone.feed('timeline', amy, phone.userToken).get();
});
