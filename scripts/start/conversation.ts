import { readEventStream } from './event-stream.ts';

interface Button {
  id: string;
  title: string;
}

/** A message to the person, as far as it is shown. */
interface Message {
  text: string;
  buttons: Button[];
}

/** What the simulator sees accepted. Fields of the Cloud API's send request. */
interface AcceptedEvent {
  kind: string;
  message: {
    to?: string;
    payload: {
      text?: { body?: string };
      interactive?: { body?: { text?: string }; action?: { buttons?: { reply?: Button }[] } };
    };
  };
}

/**
 * Has a person say hello and answer what they are asked, and prints the conversation as it happens.
 *
 * @param options `simulatorUrl`; `phone`, digits only; `print`, one line at a time; `timeoutMs` for each reply.
 * @returns whether both replies came.
 */
export async function haveFirstConversation(options: {
  simulatorUrl: string;
  phone: string;
  print: (line: string) => void;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<boolean> {
  const { simulatorUrl, phone, print, timeoutMs } = options;
  const received: Message[] = [];
  let notify: () => void = () => undefined;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.signal]);

  async function say(input: Record<string, unknown>, text: string): Promise<Message | undefined> {
    const response = await fetch(`${simulatorUrl}/_simulator/inbound`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from: phone, name: 'Ada', ...input }),
      signal,
    });
    if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`);
    print(`  +${phone} → ${text}`);
    const answer = await new Promise<Message | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
      notify = () => {
        const message = received.shift();
        if (!message) return;
        clearTimeout(timer);
        resolve(message);
      };
      notify();
    });
    const buttons = answer?.buttons.map(({ title }) => `[${title}]`).join(' ');
    if (answer)
      print(`  ${' '.repeat(phone.length + 1)} ← ${[answer.text, buttons].filter(Boolean).join('  ')}`);
    return answer;
  }

  try {
    await readEventStream(
      `${simulatorUrl}/_simulator/events`,
      (event) => {
        const message = readMessage(event as AcceptedEvent, phone);
        if (!message) return;
        received.push(message);
        notify();
      },
      signal,
    );
    const question = await say({ text: 'hello' }, 'hello');
    if (!question) return false;
    const [button] = question.buttons;
    const reply = button
      ? await say({ buttonReply: { id: button.id, title: button.title } }, button.title)
      : await say({ text: 'My order, please' }, 'My order, please');
    return reply !== undefined;
  } catch (error) {
    if (!options.signal.aborted) print(`  ${(error as Error).message}`);
    return false;
  } finally {
    stop.abort();
  }
}

function readMessage(event: AcceptedEvent, phone: string): Message | undefined {
  if (event.kind !== 'accepted' || event.message.to?.replace(/\D/g, '') !== phone) return undefined;
  const { text, interactive } = event.message.payload;
  return {
    text: text?.body ?? interactive?.body?.text ?? '(a message without text)',
    buttons: interactive?.action?.buttons?.flatMap(({ reply }) => reply ?? []) ?? [],
  };
}
