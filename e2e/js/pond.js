// What the facts in `tests/` need: clients, names that nobody else uses, and the shape of a refusal.

import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';

import { connect } from './calls.js';

const wanted = (name) => process.env[name] ?? assert.fail(`${name} is not set; run: cargo xtask test --only e2e-js`);

export const url = wanted('MILLPOND_URL');
export const key = wanted('STREAM_API_KEY');
export const secret = wanted('STREAM_API_SECRET');
export const appId = wanted('STREAM_APP_ID');

export const options = { urlOverride: { api: `${url}/api/`, personalization: `${url}/personalization/` }, fayeUrl: `${url}/faye` };

/** The app's own server: may do everything. */
export const server = connect(key, secret, appId, options);

/** A user's device: may do what the policies allow. */
export const device = (user) => connect(key, server.createUserToken(user), appId, options);

/** A client with any token, to be passed to `feed(slug, id, token)`. */
export const withToken = (token) => server.feed('user', 'nobody', token);

/** A name that no other test uses. */
export const name = (word = 'x') => `${word}-${randomUUID().slice(0, 13)}`;

/** A feed that no other test uses. */
export const feed = (slug = 'user', word = slug) => server.feed(slug, name(word));

/** An activity about `object`, with more fields if need be. */
export const activity = (object = 'skates', more = {}) => ({ actor: 'amy', verb: 'buy', object, ...more });

/** Times a second apart: `second(1)` is later than `second(0)`. */
export const second = (count) => `${new Date(Date.UTC(2024, 0, 1) + count * 1000).toISOString().slice(0, 19)}.000000`;

/** The objects of a feed's activities, newest first: the shortest way to say what is in it. */
export const objects = async (of, options = {}) => (await of.get(options)).results.map((activity) => activity.object);

/** Adds activities with these objects, each newer than the one before; returns them in that order. */
export const fill = async (of, ...things) =>
  (await of.addActivities(things.map((object, index) => activity(object, { time: second(index), foreign_id: name(object) }))))
    .activities;

/** Expects the API to refuse, with this HTTP status and error code; returns the error's body. */
export const refused = async (promise, status, code) => {
  const error = await promise.then(
    (answer) => assert.fail(`expected ${status} code ${code}, but it succeeded: ${JSON.stringify(answer)}`),
    (error) => error,
  );
  if (!error.response) throw error;
  const body = error.error;
  assert.deepEqual({ status: error.response.status, code: body.code }, { status, code }, JSON.stringify(body));
  assert.equal(body.status_code, status);
  for (const field of ['detail', 'exception', 'duration', 'more_info']) {
    assert.equal(typeof body[field], 'string', `${field} in ${JSON.stringify(body)}`);
  }
  return body;
};

const base64 = (value) => Buffer.from(value).toString('base64url');

/** A token with any claims, signed with any secret. */
export const token = (claims, { with: signedWith = secret, header = { alg: 'HS256', typ: 'JWT' } } = {}) => {
  const text = `${base64(JSON.stringify(header))}.${base64(JSON.stringify(claims))}`;
  return `${text}.${createHmac('sha256', signedWith).update(text).digest('base64url')}`;
};

export const everything = token({ resource: '*', action: '*', feed_id: '*' });

/** A request that no client would send; returns the response with its JSON as `body`. */
export const request = async (method, path, { headers = {}, body, query = `api_key=${key}`, as = everything } = {}) => {
  const authorization = as ? { Authorization: as, 'Stream-Auth-Type': 'jwt' } : {};
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const sent = typeof body === 'string' || body instanceof Uint8Array || body === undefined ? body : JSON.stringify(body);
  const response = await fetch(`${url}/api/v1.0/${path}${query ? `?${query}` : ''}`, {
    method,
    redirect: 'manual',
    headers: { ...authorization, ...type, ...headers },
    body: sent,
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('application/json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text, text };
};

/** Follows `next` from the first page to the last; returns the pages. */
export const walk = async (of, query) => {
  const pages = [];
  let next = `/api/v1.0/feed/${of.slug}/${of.userId}/?api_key=${key}&${query}`;
  while (next) {
    const response = await fetch(`${url}${next}`, { headers: { Authorization: everything, 'Stream-Auth-Type': 'jwt' } });
    const page = await response.json();
    assert.equal(response.status, 200, JSON.stringify(page));
    pages.push(page.results);
    next = page.next;
    assert.ok(pages.length < 100, 'the walk does not end');
  }
  return pages;
};
