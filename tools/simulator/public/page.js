import { element, renderContent, summarize, ticks } from './render.js';

const $ = (id) => document.getElementById(id);
const rank = { accepted: 0, sent: 1, delivered: 2, read: 3, failed: 4 };
const shown = new Map();
let templates = [];
let numbers = [];
let source;
let typingTimer;

async function call(method, path, data) {
  const answer = await fetch(`_simulator/${path}`, {
    method,
    ...(data === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) }),
  });
  const { success, data: result, error } = await answer.json();
  if (!success) throw new Error(error.message);
  return result;
}

function report(problem) {
  $('problem').textContent = problem ?? '';
  $('problem').hidden = !problem;
}

const guard =
  (work) =>
  async (...args) => {
    try {
      await work(...args);
      report();
    } catch (error) {
      report(error instanceof TypeError ? 'The simulator does not answer.' : error.message);
    }
  };

/* Who is writing */

const digits = () => $('phone-number').value.replace(/\D/g, '');

function remembered() {
  try {
    return JSON.parse(localStorage.getItem('people')) ?? [];
  } catch {
    return [];
  }
}

function remember() {
  const others = remembered().filter(({ phone }) => phone !== digits());
  const people = [{ phone: digits(), name: $('profile-name').value }, ...others].slice(0, 10);
  localStorage.setItem('people', JSON.stringify(people));
  $('recent').replaceChildren(
    ...people.map(({ phone, name }) => {
      const option = element('option', '', name);
      option.value = `+${phone}`;
      return option;
    }),
  );
}

async function inject(message) {
  if (digits().length < 5) {
    $('phone-number').focus();
    throw new Error('Enter a phone number first.');
  }
  await call('POST', 'inbound', {
    from: digits(),
    ...($('profile-name').value ? { name: $('profile-name').value } : {}),
    ...($('hide-phone').checked ? { hidePhone: true } : {}),
    ...($('business-number').value ? { phoneNumberId: $('business-number').value } : {}),
    ...message,
  });
}

/* The conversation */

function setStatus(id, status) {
  const message = shown.get(id);
  if (!message || rank[status] <= rank[message.status]) return;
  message.status = status;
  const mark = ticks(status);
  message.mark.replaceWith(mark);
  message.mark = mark;
}

function openSheet(button, wamid) {
  $('sheet-title').textContent = button.title;
  $('sheet-rows').replaceChildren(
    ...button.sections.flatMap(({ title, rows }) => [
      ...(title ? [element('h3', '', title)] : []),
      ...rows.map((row) => {
        const option = element('button', 'option', row.title);
        option.type = 'button';
        if (row.description) option.append(element('small', '', row.description));
        option.addEventListener('click', () => {
          $('sheet').close();
          const { id, title: chosen, description } = row;
          tap({ listReply: { id, title: chosen, ...(description ? { description } : {}) }, replyTo: wamid });
        });
        return option;
      }),
    ]),
  );
  $('sheet').showModal();
}

const tap = guard(inject);

function choice(button, wamid) {
  if (button.url && /^https?:/.test(button.url)) {
    const link = element('a', '', button.title);
    link.href = button.url;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    return link;
  }
  const made = element('button', '', button.title);
  made.type = 'button';
  if (button.sections) made.addEventListener('click', () => openSheet(button, wamid));
  else if (button.attach)
    made.addEventListener('click', () => tap({ ...attachments[button.attach], replyTo: wamid }));
  else if (button.reply) made.addEventListener('click', () => tap({ ...button.reply, replyTo: wamid }));
  else made.disabled = true;
  return made;
}

function react(targetId, emoji) {
  const bubble = shown.get(targetId)?.bubble;
  bubble?.querySelector('.reacted')?.remove();
  if (bubble && emoji) bubble.append(element('span', 'reacted', emoji));
}

/** @param {{id: string, atMs: number, mine: boolean, type: string, message: object, quoted?: string, status: string, raw: object}} entry */
function show(entry) {
  const { id, atMs, mine, type, message, quoted, status, raw } = entry;
  if (shown.has(id)) return;
  if (type === 'reaction') {
    react(message.reaction?.message_id, message.reaction?.emoji);
    return;
  }
  const list = $('messages');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.querySelector('.empty')?.remove();
  const { parts, buttons } = renderContent(type, message, templates);
  const time = element(
    'time',
    '',
    new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
  );
  const rawButton = element('button', '', '{ }');
  rawButton.type = 'button';
  rawButton.setAttribute('aria-label', 'Show as JSON');
  rawButton.title = 'Show as JSON';
  rawButton.addEventListener('click', () => {
    $('raw-title').textContent = mine ? 'Message of this person' : 'Message of the business';
    $('raw-json').textContent = JSON.stringify(shown.get(id).raw, null, 2);
    $('raw').showModal();
  });
  const mark = ticks(status);
  const bubble = element('div', 'bubble');
  const quotedMessage = shown.get(quoted);
  if (quotedMessage) bubble.append(element('div', 'quote', quotedMessage.summary));
  bubble.append(element('span', 'visually-hidden', mine ? 'You: ' : 'Business: '), ...parts);
  bubble.append(element('div', 'meta', rawButton, time, mark));
  const item = element('li', mine ? 'message mine' : 'message', bubble);
  if (buttons.length > 0) item.append(element('div', 'choices', ...buttons.map((each) => choice(each, id))));
  shown.set(id, { status, mark, bubble, raw, summary: String(summarize(type, message)) });
  list.append(item);
  const toEnd = () => {
    list.scrollTop = list.scrollHeight;
  };
  if (!isAtEnd && !mine) return;
  toEnd();
  // A picture grows when it arrives.
  for (const image of item.querySelectorAll('img')) image.addEventListener('load', toEnd);
}

const showAccepted = (accepted) =>
  show({
    id: accepted.wamid,
    atMs: accepted.atMs,
    mine: false,
    type: accepted.type,
    message: accepted.payload,
    quoted: accepted.payload.context?.message_id,
    status: accepted.status,
    raw: accepted,
  });
const showInbound = ({ message, ...inbound }) =>
  show({
    id: message.id,
    atMs: inbound.atMs,
    mine: true,
    type: message.type,
    message,
    quoted: message.context?.id,
    status: 'sent',
    raw: message,
  });

function setTyping(isTyping) {
  clearTimeout(typingTimer);
  const number = numbers.find(({ id }) => id === $('business-number').value) ?? numbers[0];
  $('presence').textContent = isTyping ? 'typing…' : number ? number.displayPhoneNumber : '';
  if (isTyping) typingTimer = setTimeout(() => setTyping(false), 25_000);
}

function clearConversation() {
  shown.clear();
  setTyping(false);
  $('messages').replaceChildren(
    element('li', 'empty', 'No messages yet. Say “hello” to start the welcome flow.'),
  );
}

function listen(to) {
  source?.close();
  source = new EventSource(`_simulator/events?to=${encodeURIComponent(to)}`);
  const on = (kind, handle) => source.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
  on('accepted', ({ message }) => {
    setTyping(false);
    showAccepted(message);
  });
  on('inbound', ({ inbound }) => showInbound(inbound));
  on('status', ({ wamid, status }) => setStatus(wamid, status));
  on('business-read', ({ messageId, typing }) => {
    if (!shown.has(messageId)) return;
    setStatus(messageId, 'read');
    if (typing) setTyping(true);
  });
  on('reset', clearConversation);
  on('rejected', ({ code, message }) => note(`refused: ${message}`, code));
  on('repeat', ({ repeat }) => note(`repeated ${repeat.kind}: ${repeat.key} (${repeat.count}×)`, true));
  on('incident', ({ incident }) => note(`${incident.kind} for ${incident.to}`));
  on('webhook-failed', ({ attempt, reason }) =>
    note(`webhook not delivered (try ${attempt}): ${reason}`, true),
  );
  source.addEventListener('error', () => report('The simulator does not answer.'));
  source.addEventListener('open', () => report());
}

const loadConversation = guard(async () => {
  const to = digits();
  remember();
  clearConversation();
  listen(to);
  const [{ messages: accepted }, { messages: inbound }] = await Promise.all([
    call('GET', `accepted?limit=200&to=${to}`),
    call('GET', `inbound?limit=200&to=${to}`),
  ]);
  const all = [
    ...accepted.map((message) => [message.atMs, () => showAccepted(message)]),
    ...inbound.map((message) => [message.atMs, () => showInbound(message)]),
  ];
  for (const [, place] of all.sort(([a], [b]) => a - b)) place();
});

/* Figures */

function note(text, isBad) {
  const list = $('events');
  list.querySelector('.hint')?.remove();
  const time = element('time', '', new Date().toLocaleTimeString());
  list.prepend(element('li', '', time, element('span', isBad ? 'bad' : '', text)));
  while (list.children.length > 50) list.lastElementChild.remove();
}

const rates = Array(120).fill(0);
let lastAccepted;

function drawRates() {
  const top = Math.max(1, ...rates);
  const points = rates.map((rate, index) => `${(index * 120) / 119},${30 - (rate / top) * 27}`);
  $('spark').firstElementChild.setAttribute('points', points.join(' '));
}

function put(id, value, isBad = false) {
  $(id).textContent = value.toLocaleString();
  $(id).classList.toggle('bad', isBad);
}

async function refreshFigures() {
  const { accepted, rejected, inbound, repeats, webhooks } = await call('GET', 'statistics');
  const rate = Math.max(0, accepted - (lastAccepted ?? accepted));
  lastAccepted = accepted;
  rates.push(rate);
  rates.shift();
  drawRates();
  put('rate', rate);
  put('accepted', accepted);
  put('rejected', rejected, rejected > 0);
  put('inbound', inbound);
  put('repeats-id', repeats.byMessageId, repeats.byMessageId > 0);
  put('repeats-content', repeats.byContent);
  put('pending', webhooks.pendingUpdates);
  put('failed', webhooks.failed, webhooks.failed > 0);
}

/* Composer */

const attachments = {
  image: { type: 'image', caption: 'A photo' },
  audio: { type: 'audio' },
  location: { type: 'location', content: { latitude: 52.52, longitude: 13.405, name: 'Berlin' } },
  referral: {
    text: 'I saw your ad',
    referral: {
      source_url: 'https://example.com/ad',
      source_id: '1',
      source_type: 'ad',
      headline: 'Summer sale',
      body: 'Everything must go',
      media_type: 'image',
      ctwa_clid: 'simulated',
    },
  },
  unsupported: { type: 'unsupported' },
};

function toggleMenu(isOpen) {
  $('attach-menu').hidden = !isOpen;
  $('attach').setAttribute('aria-expanded', String(isOpen));
}

$('attach').addEventListener('click', () => toggleMenu($('attach-menu').hidden));
$('attach-menu').addEventListener(
  'click',
  guard(async ({ target }) => {
    const kind = target.dataset.attach;
    if (!kind) return;
    toggleMenu(false);
    $('text').focus();
    await inject(attachments[kind]);
  }),
);
document.addEventListener('click', ({ target }) => {
  if (!target.closest('.attach')) toggleMenu(false);
});
document.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape' || $('attach-menu').hidden) return;
  toggleMenu(false);
  $('attach').focus();
});
$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  sendText();
});
const sendText = guard(async () => {
  const text = $('text').value.trim();
  if (!text) return;
  await inject({ text });
  $('text').value = '';
  $('text').focus();
});
$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
$('person').addEventListener('submit', (event) => event.preventDefault());
$('phone-number').addEventListener('change', () => {
  const known = remembered().find(({ phone }) => phone === digits());
  if (known) $('profile-name').value = known.name;
  loadConversation();
});
$('profile-name').addEventListener('change', remember);
$('business-number').addEventListener('change', showBusiness);
for (const button of document.querySelectorAll('[data-close]')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}
$('raw-copy').addEventListener('click', () => navigator.clipboard?.writeText($('raw-json').textContent));
$('handshake').addEventListener(
  'click',
  guard(async () => {
    const { ok, problem } = await call('POST', 'verify-webhook');
    $('handshake-result').textContent = ok
      ? 'The webhook answered the handshake.'
      : `It did not work: ${problem}.`;
  }),
);
$('reset').addEventListener(
  'click',
  guard(() => call('POST', 'reset')),
);

function showBusiness() {
  const number = numbers.find(({ id }) => id === $('business-number').value) ?? numbers[0];
  $('business-name').textContent = number?.verifiedName ?? 'Business';
  setTyping(false);
}

const start = guard(async () => {
  const [{ phone, name } = { phone: '15550100001', name: 'Ana' }] = remembered();
  $('phone-number').value = `+${phone}`;
  $('profile-name').value = name;
  let settings;
  [numbers, templates, settings] = await Promise.all([
    call('GET', 'numbers'),
    call('GET', 'templates'),
    call('GET', 'settings'),
  ]);
  $('business-number').replaceChildren(
    ...numbers.map(({ id, displayPhoneNumber, verifiedName }) => {
      const option = element('option', '', `${displayPhoneNumber} · ${verifiedName}`);
      option.value = id;
      return option;
    }),
  );
  $('webhook').textContent = `Webhooks go to ${settings.webhooks.url}`;
  showBusiness();
  await loadConversation();
});

await start();
drawRates();
refreshFigures().catch(() => {});
setInterval(() => {
  if (!document.hidden) refreshFigures().catch(() => {});
}, 1000);
