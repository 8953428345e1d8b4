// A small page of an application: a person's feed, a form to post, a button to like, and what others do as it happens.
//
// The server stands on another origin, and all that the page has is the user's token.

const { url, key, token, app, user } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const client = stream.connect(key, token, app, { urlOverride: { api: `${url}/api/` }, fayeUrl: `${url}/faye` });
const own = client.feed('user', user);
const at = (selector) => document.querySelector(selector);

/** Shows why something was refused. */
const complain = ({ error, message }) => at('[role=alert]').append(error ? `${error.code}: ${error.detail} ` : `${message} `);
const tried = (what) => what.catch(complain);

const row = (activity) => {
  const item = document.createElement('li');
  const count = activity.reaction_counts?.like ?? 0;
  item.innerHTML = '<span></span> <button type="button"></button>';
  item.firstChild.textContent = activity.object;
  item.lastChild.textContent = `♥ ${count}`;
  item.lastChild.addEventListener('click', () => tried(client.reactions.add('like', activity.id).then(show)));
  return item;
};

async function show() {
  const { results } = await own.get({ withReactionCounts: true });
  at('ol').replaceChildren(...results.map(row));
}

at('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const object = at('#text').value;
  at('form').reset();
  tried(own.addActivity({ verb: 'post', object }).then(show));
});

at('#who').textContent = user;
tried(show());
own.subscribe(() => tried(show())).then(() => (at('[role=status]').textContent = 'Told as it happens'), complain);
