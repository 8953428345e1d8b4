// Users, collections, and the references of activities to them.

import assert from 'node:assert/strict';
import test from 'node:test';

import { device, name, refused, server } from '../pond.js';

test('a user is created, got, updated and deleted', async () => {
  const [amy, id] = [device(name('amy')), name('bob')];
  const bob = device(id);
  await bob.user(id).create({ name: 'Bob' });
  await refused(bob.user(id).create({ name: 'Bob' }), 409, 22);
  assert.deepEqual((await bob.user(id).getOrCreate({ name: 'Rob' })).data, { name: 'Bob' });
  assert.deepEqual((await amy.user(id).get()).data, { name: 'Bob' });
  await refused(amy.user(id).update({ name: 'Eve' }), 403, 17);
  await bob.user(id).update({ name: 'Robert' });
  assert.deepEqual((await bob.user(id).get()).data, { name: 'Robert' });
  await bob.user(id).delete();
  await refused(bob.user(id).get(), 404, 16);
});

test('a profile counts who follows whom', async () => {
  const [amy, bob] = [name('amy'), name('bob')];
  const phone = device(amy);
  await phone.setUser({ name: 'Amy' });
  await phone.feed('timeline', amy).follow('user', bob);
  const { full } = await phone.user(amy).profile();
  assert.deepEqual([full.followers_count, full.following_count], [0, 1]);
});

test('many users are added, got and deleted', async () => {
  const ids = [name('a'), name('b')];
  await server.addUsers(ids.map((id) => ({ id, data: { word: id } })));
  assert.deepEqual((await server.getUsers(ids)).users.map((user) => user.id), ids);
  await server.deleteUsers(ids);
  assert.deepEqual((await server.getUsers(ids)).users, []);
});

test('a thing is added to a collection, got, updated and deleted by who added it', async () => {
  const [amy, bob] = [device(name('amy')), device(name('bob'))];
  const food = name('food');
  const added = await amy.collections.add(food, 'burger', { rating: 1 });
  assert.deepEqual((await bob.collections.get(food, 'burger')).data, { rating: 1 });
  await refused(bob.collections.update(food, 'burger', { rating: 0 }), 403, 17);
  await refused(amy.collections.add(food, 'burger', { rating: 2 }), 409, 22);
  await refused(amy.collections.add(food, 'x', {}), 400, 4);
  assert.deepEqual((await amy.collections.update(food, 'burger', { rating: 2 })).data, { rating: 2 });
  await amy.collections.delete(food, 'burger');
  await refused(amy.collections.get(food, 'burger'), 404, 16);
  assert.equal(added.full ? added.full.foreign_id : added.foreign_id, `${food}:burger`);
});

test('things are upserted, selected and deleted in batches', async () => {
  const food = name('food');
  await server.collections.upsert(food, [{ id: 'a', rating: 1 }, { id: 'b', rating: 2 }]);
  const { response } = await server.collections.select(food, ['a', 'none', 'b']);
  assert.deepEqual(response.data.map((item) => item.data.rating), [1, 2]);
  await server.collections.deleteMany(food, ['a', 'b']);
  assert.deepEqual((await server.collections.select(food, ['a', 'b'])).response.data, []);
});

test('an enriched feed shows what its references name, or that it is missing', async () => {
  const amy = name('amy');
  const phone = device(amy);
  await phone.setUser({ name: 'Amy' });
  const burger = await phone.collections.add(name('food'), null, { rating: 1 });
  const own = phone.feed('user', amy);
  await own.addActivity({ verb: 'eat', object: burger });
  await own.addActivity({ verb: 'eat', object: 'SO:food:nothing' });
  const [missing, found] = (await own.get()).results;
  assert.deepEqual([found.actor.data, found.object.data], [{ name: 'Amy' }, { rating: 1 }]);
  assert.deepEqual(missing.object, {
    id: 'nothing', collection: 'food', error: 'ReferenceNotFound', reference: 'SO:food:nothing', reference_type: 'object',
  });
  const [, plain] = (await server.feed('user', amy).get()).results;
  assert.equal(plain.actor, `SU:${amy}`);
});

test('an entry adds, gets, updates and deletes itself', async () => {
  const { collections } = device(name('amy'));
  const entry = collections.entry(name('food'), 'burger', { rating: 1 });
  assert.equal(entry.ref(), `SO:${entry.collection}:burger`);
  await entry.add();
  entry.data = { rating: 2 };
  await entry.update();
  const again = collections.entry(entry.collection, 'burger', {});
  assert.deepEqual((await again.get()).data, { rating: 2 });
  assert.deepEqual(again.data, { rating: 2 });
  await entry.delete();
  await refused(again.get(), 404, 16);
});

test('things of several collections are upserted at once', async () => {
  const [food, drink] = [name('food'), name('drink')];
  const { data } = await server.collections.upsertMany({ [food]: [{ id: 'a', rating: 1 }], [drink]: [{ id: 'b', rating: 2 }] });
  assert.deepEqual(data, { [food]: [{ id: 'a', rating: 1 }], [drink]: [{ id: 'b', rating: 2 }] });
  const { response } = await server.collections.select(drink, ['b']);
  assert.equal(response.data[0].data.rating, 2);
});

test('a user is referred to by a client that knows no more than the id', async () => {
  const amy = device(name('amy'));
  await amy.setUser({ name: 'Amy' });
  const own = amy.feed('user', amy.userId);
  await own.addActivity({ verb: 'greet', object: amy.user(amy.userId).ref() });
  const [read] = (await own.get()).results;
  assert.deepEqual(read.object.data, { name: 'Amy' });
});
