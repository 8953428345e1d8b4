// What is not built yet says so, rather than pretend. A test here goes when its feature comes, with facts about it instead.

import assert from 'node:assert/strict';
import test from 'node:test';

import { activity, feed, request } from '../pond.js';

for (const group of ['aggregated', 'notification']) {
  test(`reading a feed of the group ${group} is not built, and writing to it is`, async () => {
    const amy = feed(group);
    await amy.addActivity(activity());
    const { status, body } = await request('GET', `feed/${group}/${amy.userId}/`);
    assert.equal(status, 501);
    assert.match(body.detail, /not available in this version of Millpond/);
  });
}
