import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, everything, feed, name, objects, refused, request, second, server } from '../pond.js';

const without = (field) => {
  const { [field]: _, ...rest } = activity();
  return rest;
};

for (const field of ['actor', 'verb', 'object']) {
  for (const [what, broken] of [
    ['missing', () => without(field)],
    ['empty', () => activity('skates', { [field]: '' })],
    ['null', () => activity('skates', { [field]: null })],
  ]) {
    test(`an activity whose ${field} is ${what} is refused, and the refusal names the field`, async () => {
      const amy = feed();
      const { exception, exception_fields } = await refused(amy.addActivity(broken()), 400, 4);
      assert.equal(exception, 'InputException');
      assert.ok(Array.isArray(exception_fields[field]), JSON.stringify(exception_fields));
      assert.deepEqual(await objects(amy), []);
    });
  }
}

for (const [what, more] of [
  ['an object that is {}', { object: {} }],
  ['a verb of 256 bytes', { verb: 'v'.repeat(256) }],
  ['a time that is no time', { time: 'yesterday' }],
  ['a time that is a date out of the calendar', { time: '2024-02-31T00:00:00' }],
]) {
  test(`an activity with ${what} is refused`, async () => {
    await refused(feed().addActivity(activity('skates', more)), 400, 4);
  });
}

test('a verb of 255 bytes is accepted', async () => {
  await feed().addActivity(activity('skates', { verb: 'v'.repeat(255) }));
});

test('one bad activity among many refuses them all', async () => {
  const amy = feed();
  await refused(amy.addActivities([activity(), without('verb')]), 400, 4);
  assert.deepEqual(await objects(amy), []);
});

test('an empty list of activities is refused', async () => {
  await refused(feed().addActivities([]), 400, 4);
});

test('more than a hundred activities at once are refused', async () => {
  const amy = feed();
  await refused(amy.addActivities(Array.from({ length: 101 }, () => activity())), 400, 4);
  assert.deepEqual(await objects(amy), []);
});

test('an activity that is too large is refused', async () => {
  const { status } = await request('POST', `feed/user/${name()}/`, { body: activity('skates', { text: 'x'.repeat(20_000) }) });
  assert.ok([400, 413].includes(status), `${status}`);
});

test('a feed group that nobody configured is refused by name, whatever is done with it', async () => {
  const [amy, group] = [feed('timeline'), 'nogroup'];
  const attempts = [
    () => server.feed(group, '1').get(),
    () => server.feed(group, '1').addActivity(activity()),
    () => server.feed(group, '1').followers(),
    () => amy.follow(group, '1'),
    () => server.feed(group, '1').follow('user', '1'),
    () => feed().addActivity(activity('skates', { to: [`${group}:1`] })),
    () => server.addToMany(activity(), [`${group}:1`]),
    () => server.followMany([{ source: amy.id, target: `${group}:1` }]),
  ];
  for (const attempt of attempts) {
    const { exception, detail } = await refused(attempt(), 400, 6);
    assert.equal(exception, 'FeedConfigException');
    assert.match(detail, /The following feeds are not configured: 'nogroup'/);
  }
});

for (const target of ['user', 'user:', ':1', 'user:1:2', 7, null, undefined]) {
  test(`following ${JSON.stringify(target)} is refused`, async () => {
    const { status, body } = await request('POST', `feed/timeline/${name()}/following/`, { body: { target } });
    assert.deepEqual([status, body.code], [400, 4]);
  });
}

test('a copy limit that is no number is refused', async () => {
  const { status, body } = await request('POST', `feed/timeline/${name()}/following/`, {
    body: { target: 'user:1', activity_copy_limit: 'many' },
  });
  assert.deepEqual([status, body.code], [400, 4]);
});

test('removing by something that is no id is refused', async () => {
  await refused(feed().removeActivity('not-an-id'), 400, 4);
});

test('statistics of nothing are refused', async () => {
  await refused(server.get({ url: 'stats/follow/', token: everything }), 400, 4);
});

for (const [what, body] of [
  ['nothing', undefined],
  ['no JSON', '{"actor":'],
  ['a number', '7'],
  ['a string', '"activity"'],
  ['a list', '[]'],
  ['bytes that are no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['a list of activities that is no list', { activities: 'many' }],
  ['a list of activities with a number in it', { activities: [7] }],
]) {
  test(`posting ${what} to a feed is refused`, async () => {
    const { status, body: error } = await request('POST', `feed/user/${name()}/`, { body });
    assert.deepEqual([status, error.code, error.status_code], [400, 4, 400]);
  });
}

test('a body that is nested too deep is refused, and the server lives on', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const { status } = await request('POST', `feed/user/${name()}/`, { body: `{"actor":"a","verb":"v","object":"o","deep":${deep}}` });
  assert.ok([400, 413].includes(status), `${status}`);
  assert.equal((await request('GET', 'feed/user/amy/')).status, 200);
});

test('add to many feeds refuses no feeds, too many feeds and no activity', async () => {
  const send = (body) => server.post({ url: 'feed/add_to_many/', body, token: everything });
  await refused(send({ feeds: 'user:1', activity: activity() }), 400, 4);
  await refused(send({ feeds: ['user:1'] }), 400, 4);
  await refused(send({ feeds: Array.from({ length: 5001 }, (_, index) => `user:${index}`), activity: activity() }), 400, 4);
});

test('more follows than fit into one request are refused', async () => {
  const source = feed('timeline').id;
  const follows = Array.from({ length: 2501 }, (_, index) => ({ source, target: `user:${index}` }));
  await refused(server.followMany(follows), 400, 4);
});

test('an update of the time is an update of another activity', async () => {
  const amy = feed();
  const foreign_id = name();
  await amy.addActivity(activity('a', { foreign_id, time: second(1) }));
  await server.updateActivity(activity('b', { foreign_id, time: second(2) }));
  assert.deepEqual(await objects(amy), ['a']);
});

test('every error tells where to read more, and says how long it took', async () => {
  const { more_info, duration, detail } = await refused(feed().addActivity({}), 400, 4);
  assert.match(more_info, /^https?:\/\//);
  assert.match(duration, /^\d+(\.\d+)?ms$/);
  assert.ok(detail.length > 0);
});
