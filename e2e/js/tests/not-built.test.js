// What is not built says so.

import assert from 'node:assert/strict';
import test from 'node:test';

import { refused, server } from '../pond.js';

test('the service of personalization has no resources', async () => {
  await refused(server.personalization.get('follow_recommendations', { user_id: 'amy' }), 404, 16);
  await refused(server.personalization.post('follow_recommendations', { user_id: 'amy' }, { accepted: ['bob'] }), 404, 16);
  await refused(server.personalization.delete('follow_recommendations', { user_id: 'amy' }), 404, 16);
});
