import { type Behaviours, NodeError } from '../behaviour.ts';

const EMAIL = /^[^\s@,;]+@[^\s@,;]+$/;
const ADDRESSES_MOST = 50;
const EMAIL_TEXT_MOST = 100_000;

/** Nodes that tell somebody other than the person. */
export const noticeNodes: Behaviours<'send-email' | 'webhook-event' | 'notify-team'> = {
  'send-email': {
    execute(node, step) {
      const to = step
        .render(node.to)
        .split(/[,;]/)
        .map((address) => address.trim())
        .filter((address) => address !== '');
      const wrong = to.find((address) => !EMAIL.test(address));
      if (wrong !== undefined)
        throw new NodeError('EMAIL_INVALID', `"${wrong.slice(0, 64)}" is no email address`);
      if (to.length === 0) throw new NodeError('EMAIL_INVALID', 'there is no address to send the email to');
      if (to.length > ADDRESSES_MOST)
        throw new NodeError('EMAIL_INVALID', `an email goes to ${ADDRESSES_MOST} addresses at most`);
      // A header is one line.
      const subject = step
        .render(node.subject, 998)
        .replaceAll(/[\r\n]+/g, ' ')
        .trim();
      if (subject === '') throw new NodeError('EMAIL_INVALID', 'the subject is empty');
      const replyTo = node.replyTo === undefined ? undefined : step.render(node.replyTo).trim();
      if (replyTo !== undefined && !EMAIL.test(replyTo))
        throw new NodeError('EMAIL_INVALID', `"${replyTo.slice(0, 64)}" is no email address`);
      step.emit({
        kind: 'email',
        to,
        subject,
        ...(node.text === undefined ? {} : { text: step.render(node.text, EMAIL_TEXT_MOST) }),
        ...(node.html === undefined ? {} : { html: step.render(node.html, EMAIL_TEXT_MOST) }),
        ...(replyTo === undefined ? {} : { replyTo }),
      });
      return { to: node.next };
    },
  },
  'webhook-event': {
    execute(node, step) {
      const data = step.renderJson(node.data ?? {}) as Record<string, unknown>;
      step.emit({ kind: 'webhook', type: node.type, data, atMs: step.atMs });
      return { to: node.next };
    },
  },
  'notify-team': {
    execute(node, step) {
      const title = step.render(node.title, 200).trim();
      if (title === '') throw new NodeError('TITLE_EMPTY', 'the title is empty');
      step.emit({
        kind: 'notify',
        title,
        ...(node.body === undefined ? {} : { body: step.render(node.body) }),
        severity: node.severity ?? 'info',
        atMs: step.atMs,
      });
      return { to: node.next };
    },
  },
};
