// A page in a browser: the official client from its bundle, with a user's token, from another origin than the server's.

import assert from 'node:assert/strict';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { activity, appId, key, name, server, token, url } from '../pond.js';
import { chromium, site } from './chromium.js';

let browser;
let origin;
before(async () => {
  [browser, origin] = await Promise.all([chromium(), site()]);
});
after(async () => {
  await browser.close();
  origin.close();
});

/** Opens the page of somebody. */
const visit = (user, { as = server.createUserToken(user), ...options } = {}) =>
  browser.open(`${origin.origin}/#${new URLSearchParams({ url, key, token: as, app: appId, user })}`, options);

const shows = (...texts) =>
  `JSON.stringify([...document.querySelectorAll('li span')].map((one) => one.textContent)) === ${JSON.stringify(JSON.stringify(texts))}`;
const isTold = `document.querySelector('[role=status]').textContent === 'Told as it happens'`;
const alerts = (text) => `document.querySelector('[role=alert]').textContent.includes(${JSON.stringify(text)})`;

test('a page reads a feed, posts, likes, and is told over a WebSocket what others do', async () => {
  const amy = name('amy');
  await server.feed('user', amy).addActivity(activity('was there before', { actor: `SU:${amy}` }));
  const page = await visit(amy);
  await page.until(shows('was there before'));
  await page.until(isTold);

  await page.run(`document.querySelector('#text').value = 'skates'; document.querySelector('form button').click()`);
  await page.until(shows('skates', 'was there before'));
  const [posted] = (await server.feed('user', amy).get()).results;
  assert.deepEqual([posted.actor, posted.object], [`SU:${amy}`, 'skates']);

  await page.run(`document.querySelector('li button').click()`);
  await page.until(`document.querySelector('li button').textContent === '♥ 1'`);
  const [liked] = (await server.reactions.filter({ activity_id: posted.id })).results;
  assert.deepEqual([liked.kind, liked.user_id], ['like', amy]);

  await server.feed('user', amy).addActivity(activity('told as it happened'));
  await page.until(shows('told as it happened', 'skates', 'was there before'));
  assert.deepEqual(page.seen.sockets, [`${url.replace('http', 'ws')}/faye`]);

  if (process.env.MILLPOND_E2E_PICTURES) await page.picture(path.join(process.env.MILLPOND_E2E_PICTURES, 'page.png'));
  assert.deepEqual(page.seen.complaints, []);
  await page.close();
});

test('a browser asks first, and is let through to every method', async () => {
  const amy = name('amy');
  const page = await visit(amy);
  await page.until(isTold);
  const preflights = page.seen.responses.filter(({ type }) => type === 'Preflight');
  assert.ok(preflights.some((one) => one.url.startsWith(`${url}/api/v1.0/enrich/feed/user/${amy}/`)), JSON.stringify(preflights));
  assert.deepEqual(new Set(preflights.map(({ status }) => Math.floor(status / 100))), new Set([2]));

  const outcomes = await page.run(`(async () => {
    const user = client.user(client.userId);
    const names = [];
    for (const call of [() => user.create({ name: 'Amy' }), () => user.update({ name: 'Amelia' }), () => user.get(), () => user.delete()])
      names.push((await call()).data?.name ?? null);
    return names;
  })()`);
  assert.deepEqual(outcomes, ['Amy', 'Amelia', 'Amelia', null]);
  assert.deepEqual(page.seen.complaints, []);
  await page.close();
});

test('what a page may not do is told to it with the reason', async () => {
  const [amy, bob] = [name('amy'), name('bob')];
  const page = await visit(bob, { as: server.createUserToken(amy) });
  await page.run(`document.querySelector('#text').value = 'forged'; document.querySelector('form button').click()`);
  await page.until(alerts('17: '));
  assert.deepEqual((await server.feed('user', bob).get()).results, []);
  await page.close();
});

test('a page whose token is signed with another secret is told so', async () => {
  const amy = name('amy');
  const page = await visit(amy, { as: token({ user_id: amy }, { with: 'another-secret-that-is-long-enough-for-hs256' }) });
  await page.until(alerts('17: '));
  await page.close();
});

test('a page without WebSockets is told by long-polling', async () => {
  const amy = name('amy');
  const page = await visit(amy, { before: 'delete window.WebSocket; delete window.MozWebSocket;' });
  await page.until(isTold);
  await server.feed('user', amy).addActivity(activity('told all the same'));
  await page.until(shows('told all the same'));
  assert.deepEqual(page.seen.sockets, []);
  assert.ok(page.seen.responses.some((one) => one.url.startsWith(`${url}/faye`) && one.type === 'XHR'));
  assert.deepEqual(page.seen.complaints, []);
  await page.close();
});

test('a page sees how much it may still ask', async () => {
  const page = await visit(name('amy'));
  const headers = await page.run(`fetch('${url}/api/v1.0/feed/user/' + client.userId + '/?api_key=${key}', {
    headers: { Authorization: client.userToken, 'Stream-Auth-Type': 'jwt' },
  }).then(({ headers }) => ['limit', 'remaining', 'reset'].map((name) => headers.get('x-ratelimit-' + name)))`);
  assert.deepEqual(headers.map((value) => /^\d+$/.test(value)), [true, true, true], JSON.stringify(headers));
  await page.close();
});
