import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, name, objects, refused, second, server } from '../pond.js';

const identity = (count = 1) => ({ foreign_id: name(), time: second(count) });

/** An activity with custom data, in a feed of its own. */
const stored = async (custom = {}) => {
  const amy = feed();
  const known = identity();
  const { id } = await amy.addActivity(activity('skates', { ...known, ...custom }));
  const read = async () => (await amy.get()).results[0];
  return { amy, id, ...known, read };
};

test('activities are got by their ids, in the order asked for', async () => {
  const amy = feed();
  const { activities } = await amy.addActivities(['a', 'b', 'c'].map((object) => activity(object)));
  const [a, b, c] = activities;
  const { results, duration } = await server.getActivities({ ids: [c.id, a.id] });
  assert.deepEqual(results, [c, a]);
  assert.equal(typeof duration, 'string');
  assert.deepEqual((await server.getActivities({ ids: [b.id], enrich: true })).results.map(({ object }) => object), ['b']);
});

test('activities are got by foreign id and time', async () => {
  const { id, foreign_id, time } = await stored();
  const other = await stored();
  const pairs = [{ foreignID: other.foreign_id, time: other.time }, { foreignID: foreign_id, time }];
  for (const enrich of [false, true]) {
    const { results } = await server.getActivities({ foreignIDTimes: pairs, enrich });
    assert.deepEqual(results.map((one) => one.id), [other.id, id]);
  }
});

test('a foreign id at another time is not found', async () => {
  const { foreign_id } = await stored();
  const { results } = await server.getActivities({ foreignIDTimes: [{ foreignID: foreign_id, time: second(9) }] });
  assert.deepEqual(results, []);
});

test('unknown ids are left out', async () => {
  const { id } = await stored();
  const { results } = await server.getActivities({ ids: ['8b866680-82b8-11e8-8080-80014b9d80a2', id] });
  assert.deepEqual(results.map((one) => one.id), [id]);
});

test('getting activities without saying which is refused', async () => {
  const token = server.getOrCreateToken();
  await refused(server.get({ url: 'activities/', token }), 400, 4);
  await refused(server.get({ url: 'enrich/activities/', token }), 400, 4);
  await refused(server.get({ url: 'activities/', qs: { foreign_ids: 'a,b', timestamps: second(1) }, token }), 400, 4);
});

test('an update replaces the whole activity', async () => {
  const { foreign_id, time, id, read } = await stored({ price: 30, target: 'list:wishes' });
  await server.updateActivity({ actor: 'bob', verb: 'sell', object: 'hat', foreign_id, time, size: 38 });
  const { actor, verb, object, target, price, size, ...rest } = await read();
  assert.deepEqual({ actor, verb, object, target, price, size }, {
    actor: 'bob', verb: 'sell', object: 'hat', target: '', price: undefined, size: 38,
  });
  assert.equal(rest.id, id);
});

test('an update is seen in every feed that holds the activity', async () => {
  const { amy, foreign_id, time } = await stored({ price: 30 });
  const bob = feed('timeline');
  await bob.follow('user', amy.userId);
  await server.updateActivity(activity('skates', { foreign_id, time, price: 20 }));
  for (const one of [amy, bob]) assert.equal((await one.get()).results[0].price, 20);
});

test('an activity can be updated with what was read', async () => {
  const { read } = await stored({ price: 30 });
  const echo = await read();
  await server.updateActivity({ ...echo, price: 20, is_read: true, reaction_counts: { like: 3 }, score: 7 });
  assert.deepEqual(await read(), { ...echo, price: 20 });
});

test('many activities are updated at once', async () => {
  const [one, two] = [await stored(), await stored()];
  await server.updateActivities([one, two].map(({ foreign_id, time }) => activity('hat', { foreign_id, time, price: 1 })));
  assert.deepEqual([(await one.read()).price, (await two.read()).price], [1, 1]);
});

test('an update of an unknown activity makes it, in no feed', async () => {
  const known = identity();
  await server.updateActivity(activity('hat', known));
  const { results } = await server.getActivities({ foreignIDTimes: [{ foreignID: known.foreign_id, time: known.time }] });
  assert.deepEqual(results.map(({ object }) => object), ['hat']);
});

for (const missing of ['foreign_id', 'time', 'actor', 'verb', 'object']) {
  test(`an update without ${missing} is refused`, async () => {
    const { [missing]: _, ...rest } = activity('hat', identity());
    await refused(server.updateActivity(rest), 400, 4);
  });
}

test('more than a hundred updates are refused', async () => {
  const many = Array.from({ length: 101 }, (_, index) => activity('hat', identity(index)));
  await refused(server.updateActivities(many), 400, 4);
});

test('a partial update sets and unsets fields, and answers with the result', async () => {
  const { id, read } = await stored({ price: 30, size: 38, colour: 'red' });
  const { duration, ...updated } = await server.activityPartialUpdate({ id, set: { price: 20, shop: 'pond' }, unset: ['size'] });
  const { price, size, colour, shop } = updated;
  assert.deepEqual({ price, size, colour, shop }, { price: 20, size: undefined, colour: 'red', shop: 'pond' });
  assert.deepEqual(await read(), updated);
});

test('a partial update finds its activity by foreign id and time', async () => {
  const { foreign_id, time, read } = await stored({ price: 30 });
  await server.activityPartialUpdate({ foreign_id, time, set: { price: 20 } });
  assert.equal((await read()).price, 20);
});

test('a partial update reaches into objects', async () => {
  const { id, read } = await stored({ size: { eu: 38, uk: { adult: 5 } }, tags: ['ice'] });
  await server.activityPartialUpdate({ id, set: { 'size.uk.adult': 6, 'size.us': 7, tags: ['snow', 'ice'] }, unset: ['size.eu'] });
  const { size, tags } = await read();
  assert.deepEqual({ size, tags }, { size: { uk: { adult: 6 }, us: 7 }, tags: ['snow', 'ice'] });
});

test('a partial update replaces a value whole', async () => {
  const { id, read } = await stored({ size: { eu: 38, uk: 5 } });
  await server.activityPartialUpdate({ id, set: { size: { us: 7 } } });
  assert.deepEqual((await read()).size, { us: 7 });
});

test('many partial updates are answered in the order of the request', async () => {
  const [one, two] = [await stored(), await stored()];
  const { activities } = await server.activitiesPartialUpdate([
    { id: two.id, set: { place: 2 } },
    { foreign_id: one.foreign_id, time: one.time, set: { place: 1 } },
  ]);
  assert.deepEqual(activities.map(({ id, place }) => [id, place]), [[two.id, 2], [one.id, 1]]);
});

test('a partial update at the top level answers with the activity itself', async () => {
  const { id } = await stored({ price: 30 });
  const answer = await server.post({ url: 'activity/', body: { id, set: { price: 20 } }, token: server.getOrCreateToken() });
  assert.deepEqual([answer.id, answer.price, typeof answer.duration], [id, 20, 'string']);
});

test('unsetting a field that is not there changes nothing', async () => {
  const { id, read } = await stored({ price: 30 });
  await server.activityPartialUpdate({ id, unset: ['size'] });
  assert.equal((await read()).price, 30);
});

const partial = (body) => server.post({ url: 'activity/', body, token: server.getOrCreateToken() });
const many = (count) => Array.from({ length: count }, (_, index) => `field_${index}`);

for (const [what, change] of [
  ['a path through something that is no object', { set: { 'price.net': 1 } }],
  ['a path through nothing', { set: { 'shape.width': 1 } }],
  ['the same field in set and unset', { set: { price: 1 }, unset: ['price'] }],
  ['a field and a part of it', { set: { size: {}, 'size.eu': 1 } }],
  ['the actor', { set: { actor: 'bob' } }],
  ['the verb', { set: { verb: 'sell' } }],
  ['the time', { set: { time: second(2) } }],
  ['the id', { unset: ['id'] }],
  ['the foreign id', { unset: ['foreign_id'] }],
  ['the targets', { set: { to: ['user:1'] } }],
  ['a set that is a list', { set: ['price'] }],
  ['an unset that is an object', { unset: { price: 1 } }],
  ['26 fields to set', { set: Object.fromEntries(many(26).map((field) => [field, 1])) }],
  ['26 fields to unset', { unset: many(26) }],
]) {
  test(`a partial update of ${what} is refused and changes nothing`, async () => {
    const { id, read } = await stored({ price: 30, size: { eu: 38 } });
    const before = await read();
    await refused(partial({ changes: [{ id, ...change }] }), 400, 4);
    assert.deepEqual(await read(), before);
  });
}

test('25 fields can be set and 25 unset', async () => {
  const { id, read } = await stored({ price: 30 });
  const fields = many(50);
  const set = Object.fromEntries(fields.slice(0, 25).map((field) => [field, 1]));
  await server.activityPartialUpdate({ id, set, unset: fields.slice(25) });
  assert.equal((await read()).field_24, 1);
});

test('an id together with a foreign id is refused', async () => {
  const { id, foreign_id, time } = await stored();
  await refused(partial({ changes: [{ id, foreign_id, time, set: { price: 1 } }] }), 400, 4);
});

test('a partial update of an unknown activity is refused, and so are the others with it', async () => {
  const { id, read } = await stored({ price: 30 });
  const unknown = '8b866680-82b8-11e8-8080-80014b9d80a2';
  await refused(partial({ changes: [{ id, set: { price: 1 } }, { id: unknown, set: { price: 1 } }] }), 404, 16);
  assert.equal((await read()).price, 30);
});

test('an updated activity keeps its place', async () => {
  const amy = feed();
  const first = { foreign_id: name(), time: second(1) };
  await amy.addActivity(activity('a', first));
  await amy.addActivity(activity('b', { time: second(2) }));
  await server.updateActivity(activity('a2', first));
  assert.deepEqual(await objects(amy), ['b', 'a2']);
});
