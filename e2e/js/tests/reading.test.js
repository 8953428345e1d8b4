import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, fill, name, objects, refused, second, walk } from '../pond.js';

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

test('a feed that nobody has written to is empty', async () => {
  const { duration, ...page } = await feed().get();
  assert.equal(typeof duration, 'string');
  assert.deepEqual(page, { results: [], next: '' });
});

test('a page has 25 activities unless the request says otherwise', async () => {
  const amy = feed();
  await fill(amy, ...Array.from({ length: 30 }, (_, index) => `thing-${index}`));
  assert.equal((await objects(amy)).length, 25);
  assert.equal((await objects(amy, { limit: 30 })).length, 30);
});

test('a page has 100 activities at most', async () => {
  const amy = feed();
  for (const half of [0, 1]) {
    await amy.addActivities(Array.from({ length: 60 }, (_, index) => activity(`${half}-${index}`)));
  }
  assert.equal((await objects(amy, { limit: 500 })).length, 100);
});

test('limit and offset cut the feed into pages', async () => {
  const amy = feed();
  await fill(amy, ...letters);
  assert.deepEqual(await objects(amy, { limit: 3 }), ['g', 'f', 'e']);
  assert.deepEqual(await objects(amy, { limit: 3, offset: 2 }), ['e', 'd', 'c']);
  assert.deepEqual(await objects(amy, { limit: 3, offset: 6 }), ['a']);
  assert.deepEqual(await objects(amy, { limit: 3, offset: 7 }), []);
});

test('ids cut the feed where they stand', async () => {
  const amy = feed();
  const d = (await fill(amy, ...letters))[3].id;
  assert.deepEqual(await objects(amy, { id_lt: d }), ['c', 'b', 'a']);
  assert.deepEqual(await objects(amy, { id_lte: d }), ['d', 'c', 'b', 'a']);
  assert.deepEqual(await objects(amy, { id_gt: d }), ['g', 'f', 'e']);
  assert.deepEqual(await objects(amy, { id_gte: d }), ['g', 'f', 'e', 'd']);
  assert.deepEqual(await objects(amy, { id_lt: d, limit: 2 }), ['c', 'b']);
});

test('two ids cut out what lies between them', async () => {
  const amy = feed();
  const filled = await fill(amy, ...letters);
  assert.deepEqual(await objects(amy, { id_gt: filled[1].id, id_lt: filled[4].id }), ['d', 'c']);
  assert.deepEqual(await objects(amy, { id_gte: filled[1].id, id_lte: filled[4].id }), ['e', 'd', 'c', 'b']);
});

test('an id cuts by its time even if its activity is gone', async () => {
  const amy = feed();
  const d = (await fill(amy, ...letters))[3].id;
  await amy.removeActivity(d);
  assert.deepEqual(await objects(amy, { id_lte: d }), ['c', 'b', 'a']);
});

test('the detail of an activity is that activity', async () => {
  const amy = feed();
  const filled = await fill(amy, ...letters);
  const { results } = await amy.getActivityDetail(filled[2].id);
  assert.deepEqual(results, [filled[2]]);
});

test('walking the next links shows every activity once, newest first', async () => {
  const amy = feed();
  const things = Array.from({ length: 23 }, (_, index) => `thing-${index}`);
  await fill(amy, ...things);
  const pages = await walk(amy, 'limit=5');
  assert.deepEqual(pages.map(({ length }) => length), [5, 5, 5, 5, 3]);
  assert.deepEqual(pages.flat().map(({ object }) => object), [...things].reverse());
});

test('a last page that is full has no next link', async () => {
  const amy = feed();
  await fill(amy, 'a', 'b', 'c', 'd');
  assert.equal((await walk(amy, 'limit=2')).length, 2);
});

test('a walk from an offset ends at the end too', async () => {
  const amy = feed();
  await fill(amy, ...letters);
  const pages = await walk(amy, 'limit=2&offset=1');
  assert.deepEqual(pages.flat().map(({ object }) => object), ['f', 'e', 'd', 'c', 'b', 'a']);
});

test('what is posted during a walk does not disturb it', async () => {
  const amy = feed();
  await fill(amy, ...letters);
  const { next, results } = await amy.get({ limit: 3 });
  await amy.addActivity(activity('new'));
  const { searchParams } = new URL(next, 'http://pond');
  assert.equal(searchParams.get('id_lt'), results[2].id);
  assert.deepEqual(await objects(amy, { id_lt: results[2].id, limit: 3 }), ['d', 'c', 'b']);
});

test('activities of the same time are walked once each', async () => {
  const amy = feed();
  const things = Array.from({ length: 12 }, (_, index) => `thing-${index}`);
  await amy.addActivities(things.map((object) => activity(object, { foreign_id: name(), time: second(1) })));
  const ids = (await walk(amy, 'limit=5')).flat().map(({ id }) => id);
  assert.equal(new Set(ids).size, 12);
  assert.deepEqual(ids, [...ids].sort().reverse());
});

test('the enriched path shows plain strings as they are', async () => {
  const amy = feed();
  const [skates] = await fill(amy, 'skates');
  const { results } = await amy.get({ enrich: true });
  const { actor, verb, object, id } = results[0];
  assert.deepEqual({ actor, verb, object, id }, { actor: 'amy', verb: 'buy', object: 'skates', id: skates.id });
});

for (const [what, query] of [
  ['a limit that is no number', { limit: 'many' }],
  ['a negative limit', { limit: -1 }],
  ['an offset that is no number', { offset: 'far' }],
  ['a negative offset', { offset: -5 }],
  ['an id that is no id', { id_lt: 'yesterday' }],
]) {
  test(`${what} is refused`, async () => {
    await refused(feed().get(query), 400, 4);
  });
}
