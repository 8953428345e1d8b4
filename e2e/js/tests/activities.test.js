import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, fill, name, objects, second, server } from '../pond.js';

const only = async (of) => {
  const { results } = await of.get();
  assert.equal(results.length, 1);
  return results[0];
};

test('an added activity is answered as it will be read', async () => {
  const amy = feed();
  const { duration, ...added } = await amy.addActivity(activity('skates', { foreign_id: name(), price: 30 }));
  assert.match(duration, /^\d+(\.\d+)?ms$/);
  assert.deepEqual(await only(amy), added);
});

test('a plain activity has exactly the promised fields', async () => {
  const amy = feed();
  await amy.addActivity(activity());
  const fields = ['actor', 'foreign_id', 'id', 'object', 'origin', 'target', 'time', 'verb'];
  assert.deepEqual(Object.keys(await only(amy)).sort(), fields);
});

test('absent target and foreign id read as empty strings, and the origin as null', async () => {
  const amy = feed();
  await amy.addActivity(activity());
  const { target, foreign_id, origin } = await only(amy);
  assert.deepEqual({ target, foreign_id, origin }, { target: '', foreign_id: '', origin: null });
});

test('a target is kept', async () => {
  const amy = feed();
  await amy.addActivity(activity('skates', { target: 'list:wishes' }));
  assert.equal((await only(amy)).target, 'list:wishes');
});

test('custom values come back as they were sent', async () => {
  const amy = feed();
  const custom = {
    count: 0,
    price: 12.5,
    tenth: 0.1,
    debt: -7,
    widest: 9007199254740991,
    is_gift: true,
    is_sold: false,
    tags: ['ice', 'winter', 3, [1, 2]],
    size: { eu: 38, uk: { adult: 5, child: null }, widths: [] },
    empty: {},
    word: '',
  };
  await amy.addActivity(activity('skates', custom));
  const read = await only(amy);
  assert.deepEqual(Object.fromEntries(Object.keys(custom).map((field) => [field, read[field]])), custom);
});

test('every kind of letter comes back as it was sent', async () => {
  const amy = feed();
  const words = ['naïve café', '日本語のテキスト', 'שלום', '👩‍👩‍👧‍👦🏳️‍🌈', 'e\u0301', 'quote " and \\ and \n and \t', '\u2028'];
  await amy.addActivity(activity(words[0], { verb: 'écrire', words, 'clé': 'ключ' }));
  const read = await only(amy);
  assert.deepEqual([read.object, read.verb, read.words, read['clé']], [words[0], 'écrire', words, 'ключ']);
});

test('a string that looks like a date stays the string that was sent', async () => {
  const amy = feed();
  await amy.addActivity(activity('skates', { day: '2024-02-03', moment: '2024-02-03T04:05:06Z' }));
  const { day, moment } = await only(amy);
  assert.deepEqual([day, moment], ['2024-02-03', '2024-02-03T04:05:06Z']);
});

test('a number as actor, object or foreign id reads as a string', async () => {
  const amy = feed();
  await amy.addActivity({ actor: 3, verb: 'like', object: 7, foreign_id: 42, time: second(1) });
  const { actor, object, foreign_id } = await only(amy);
  assert.deepEqual([actor, object, foreign_id], ['3', '7', '42']);
});

test('an activity without a time happened now', async () => {
  const before = Date.now();
  const { time } = await feed().addActivity(activity());
  const happened = Date.parse(`${time}Z`);
  assert.ok(happened >= before - 5000 && happened <= Date.now() + 5000, time);
});

for (const [sent, read] of [
  ['2018-07-08T14:09:36', '2018-07-08T14:09:36.000000'],
  ['2018-07-08T14:09:36.5', '2018-07-08T14:09:36.500000'],
  ['2018-07-08T14:09:36.123456', '2018-07-08T14:09:36.123456'],
  ['2018-07-08T14:09:36.123Z', '2018-07-08T14:09:36.123000'],
  ['2018-07-08T14:09:36+02:00', '2018-07-08T12:09:36.000000'],
  ['2018-07-08T14:09:36.25-0130', '2018-07-08T15:39:36.250000'],
]) {
  test(`the time ${sent} reads as ${read}`, async () => {
    const amy = feed();
    assert.equal((await amy.addActivity(activity('x', { time: sent }))).time, read);
    assert.equal((await only(amy)).time, read);
  });
}

test('the id of an activity carries its time', async () => {
  const { id, time } = await feed().addActivity(activity('skates', { time: '2018-07-08T14:09:36.123456' }));
  const [low, middle, high] = id.split('-');
  const steps = (BigInt(`0x${high}`) & 0x0fffn) << 48n | BigInt(`0x${middle}`) << 32n | BigInt(`0x${low}`);
  const micros = (steps - 122192928000000000n) / 10n;
  assert.equal(high[0], '1');
  assert.equal(micros, BigInt(Date.parse(`${time.slice(0, 23)}Z`)) * 1000n + BigInt(time.slice(23)));
});

for (const [foreign_id, time, id] of [
  ['123sdsd333}}}', 1451260800, 'f01c0000-acf5-11e5-8080-80006a8b5bc2'],
  ['6621938', 1452862489, '2925f280-bb87-11e5-8080-8001597d791f'],
  ['467791-42-follow', 1481475921, 'ffa65e80-bfc3-11e6-8080-800027086507'],
]) {
  test(`the foreign id ${foreign_id} and its time give the id that other clients compute`, async () => {
    const moment = new Date(time * 1000).toISOString();
    assert.equal((await feed().addActivity(activity('x', { foreign_id, time: moment }))).id, id);
  });
}

test('many activities are answered in the order of the request', async () => {
  const { activities } = await feed().addActivities(['one', 'two', 'three'].map((object) => activity(object)));
  assert.deepEqual(activities.map(({ object }) => object), ['one', 'two', 'three']);
});

test('activities of one request are newer the later they stand in it', async () => {
  const amy = feed();
  const things = Array.from({ length: 20 }, (_, index) => `thing-${index}`);
  const { activities } = await amy.addActivities(things.map((object) => activity(object)));
  const times = activities.map(({ time }) => time);
  assert.deepEqual(times, [...new Set(times)].sort());
  assert.deepEqual(await objects(amy), [...things].reverse());
});

test('one hundred activities fit into a request', async () => {
  const amy = feed();
  await amy.addActivities(Array.from({ length: 100 }, (_, index) => activity(`thing-${index}`)));
  assert.equal((await objects(amy, { limit: 100 })).length, 100);
});

test('the same foreign id and time are the same activity: the second overwrites the first', async () => {
  const amy = feed();
  const same = { foreign_id: name(), time: second(5) };
  const first = await amy.addActivity(activity('skates', { ...same, price: 30, size: 38 }));
  const again = await amy.addActivity(activity('skates', { ...same, price: 25 }));
  assert.equal(again.id, first.id);
  const { price, size } = await only(amy);
  assert.deepEqual([price, size], [25, undefined]);
});

test('the same foreign id at another time is another activity', async () => {
  const amy = feed();
  const foreign_id = name();
  await amy.addActivity(activity('one', { foreign_id, time: second(1) }));
  await amy.addActivity(activity('two', { foreign_id, time: second(2) }));
  assert.deepEqual(await objects(amy), ['two', 'one']);
});

test('an activity added to two feeds is one activity', async () => {
  const [amy, bob] = [feed(), feed()];
  const skates = activity('skates', { foreign_id: name(), time: second(1), price: 30 });
  const first = await amy.addActivity(skates);
  const again = await bob.addActivity({ ...skates, price: 20 });
  assert.equal(first.id, again.id);
  assert.equal((await only(amy)).price, 20);
});

test('an old activity takes its place by time', async () => {
  const amy = feed();
  await amy.addActivity(activity('new', { time: second(100) }));
  await amy.addActivity(activity('old', { time: second(1) }));
  await amy.addActivity(activity('between', { time: second(50) }));
  assert.deepEqual(await objects(amy), ['new', 'between', 'old']);
});

test('an activity is removed by its id', async () => {
  const amy = feed();
  const [skates] = await fill(amy, 'skates', 'hat');
  const { removed } = await amy.removeActivity(skates.id);
  assert.equal(removed, skates.id);
  assert.deepEqual(await objects(amy), ['hat']);
});

test('removing an activity that is not there succeeds', async () => {
  const id = '8b866680-82b8-11e8-8080-80014b9d80a2';
  assert.equal((await feed().removeActivity(id)).removed, id);
});

test('removing by foreign id removes it at every time', async () => {
  const amy = feed();
  const foreign_id = `like:${name()}`;
  for (const count of [1, 2, 3]) await amy.addActivity(activity('skates', { foreign_id, time: second(count) }));
  await amy.addActivity(activity('hat', { foreign_id: name(), time: second(9) }));
  const { removed } = await amy.removeActivity({ foreignId: foreign_id });
  assert.equal(removed, foreign_id);
  assert.deepEqual(await objects(amy), ['hat']);
});

test('a foreign id may hold slashes, spaces and percent signs', async () => {
  const amy = feed();
  const foreign_id = `a/b c%2F:${name()}`;
  await amy.addActivity(activity('skates', { foreign_id, time: second(1) }));
  await amy.removeActivity({ foreignId: encodeURIComponent(foreign_id) });
  assert.deepEqual(await objects(amy), []);
});

test('removing by a foreign id that is not there succeeds', async () => {
  const foreignId = name();
  assert.equal((await feed().removeActivity({ foreignId })).removed, foreignId);
});

test('a removed activity leaves the followers too', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  await bob.follow('user', amy.userId);
  const [skates] = await fill(amy, 'skates', 'hat');
  assert.deepEqual(await objects(bob), ['hat', 'skates']);
  await amy.removeActivity(skates.id);
  assert.deepEqual(await objects(bob), ['hat']);
});

test('an activity that was added to two feeds is removed from one', async () => {
  const [amy, bob] = [feed(), feed()];
  const skates = activity('skates', { foreign_id: name(), time: second(1) });
  const { id } = await amy.addActivity(skates);
  await bob.addActivity(skates);
  await amy.removeActivity(id);
  assert.deepEqual([await objects(amy), await objects(bob)], [[], ['skates']]);
});

test('a removed activity can be added again', async () => {
  const amy = feed();
  const skates = activity('skates', { foreign_id: name(), time: second(1) });
  const { id } = await amy.addActivity(skates);
  await amy.removeActivity(id);
  assert.equal((await amy.addActivity(skates)).id, id);
  assert.deepEqual(await objects(amy), ['skates']);
});

test('an activity is added to many feeds at once', async () => {
  const feeds = [feed(), feed(), feed('timeline')];
  await server.addToMany(activity('skates', { price: 30 }), feeds.map(({ id }) => id));
  for (const one of feeds) assert.equal((await only(one)).price, 30);
});

test('adding to many feeds does not reach their followers', async () => {
  const [amy, bob] = [feed(), feed('timeline')];
  await bob.follow('user', amy.userId);
  await server.addToMany(activity('skates'), [amy.id]);
  assert.deepEqual([await objects(amy), await objects(bob)], [['skates'], []]);
});
