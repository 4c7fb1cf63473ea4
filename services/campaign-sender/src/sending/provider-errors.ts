/**
 * What to do about an error of the Cloud API.
 * - `retry`: again with growing pauses, at most {@link RETRY_LIMIT} tries in all.
 * - `slow-number`: the number's throughput; its rate is halved and recovers by itself. No try is spent.
 * - `slow-app`: the app's calls; every number of the installation waits a minute. No try is spent.
 * - `slow-account`: the account's calls; every number of it waits a minute. No try is spent.
 * - `wait-number`: the provider is busy with the number; it waits. No try is spent.
 * - `delay-recipient`: this recipient waits 4^X s; no try is spent, nobody else waits.
 * - `fail`: this message can't be sent.
 * - `fail-and-suppress`: and the person wants no more.
 * - `fail-window`: free-form outside the 24 hours; the person is to be addressed by a template.
 * - `hold-template`, `drop-template`: nothing of this template goes out until it is released, or ever.
 * - `pause-sender`: the number sends nothing until a person or a webhook resumes it; its messages wait.
 * - `pause-account`: the same for every number of the account.
 */
export type ProviderAction =
  | 'retry'
  | 'slow-number'
  | 'slow-app'
  | 'slow-account'
  | 'wait-number'
  | 'delay-recipient'
  | 'fail'
  | 'fail-and-suppress'
  | 'fail-window'
  | 'hold-template'
  | 'drop-template'
  | 'pause-sender'
  | 'pause-account';

/** One row of the table. */
export interface ProviderErrorRule {
  readonly meaning: string;
  readonly action: ProviderAction;
}

/** Tries that errors with action `retry` may use up, the first included (R2.1). */
export const RETRY_LIMIT = 3;

function rule(action: ProviderAction, meaning: string): ProviderErrorRule {
  return { action, meaning };
}

/** The codes, as the provider numbers them. Only `code` counts: titles and HTTP statuses change. */
const rules: Readonly<Record<number, ProviderErrorRule>> = {
  // Who we are and what we may.
  0: rule('pause-sender', 'the token is invalid'),
  190: rule('pause-sender', 'the token has expired'),
  3: rule('pause-sender', 'the app lacks a capability'),
  10: rule('pause-sender', 'permission is missing'),
  131005: rule('pause-sender', 'access denied'),
  33: rule('pause-sender', 'the number was deleted'),
  131045: rule('pause-sender', 'the number is not registered'),
  133010: rule('pause-sender', 'the number is not registered'),
  // Trouble at the provider.
  1: rule('retry', 'unknown error, maybe a bad request'),
  2: rule('retry', 'the service is down for the moment'),
  131000: rule('retry', 'something went wrong'),
  131016: rule('retry', 'the service is overloaded'),
  133004: rule('retry', 'the server is unavailable for the moment'),
  131052: rule('retry', 'media could not be downloaded'),
  131053: rule('retry', 'media could not be uploaded'),
  // Pace.
  4: rule('slow-app', 'the app has made too many calls'),
  80007: rule('slow-account', 'the account has made too many calls'),
  130429: rule('slow-number', 'the number sends too fast'),
  131056: rule('delay-recipient', 'too many messages to this recipient'),
  131057: rule('wait-number', 'the number is under maintenance or being upgraded'),
  133016: rule('wait-number', 'too many attempts to register the number'),
  132069: rule('wait-number', 'the form is throttled'),
  // The person.
  131049: rule('fail', 'the person has had enough marketing for a day'),
  130472: rule('fail', 'the person is part of an experiment'),
  131050: rule('fail-and-suppress', 'the person has stopped marketing messages'),
  130403: rule('fail', 'the person is blocked by you'),
  131026: rule('fail', 'the message can not be delivered to this recipient'),
  131047: rule('fail-window', 'more than 24 hours since the person wrote'),
  131062: rule('fail', 'this message needs a phone number'),
  // The message.
  100: rule('fail', 'a parameter is invalid'),
  131008: rule('fail', 'a parameter is missing'),
  131009: rule('fail', 'a parameter has a bad value'),
  131021: rule('fail', 'sender and recipient are the same'),
  131051: rule('fail', 'the type of message is not supported'),
  135000: rule('fail', 'a parameter of the request is wrong'),
  // The template.
  132000: rule('fail', 'wrong number of template parameters'),
  132001: rule('fail', 'the template does not exist in this language'),
  132005: rule('fail', 'the filled template is too long'),
  132007: rule('fail', 'the template breaks a policy'),
  132012: rule('fail', 'a template parameter has the wrong format'),
  132015: rule('hold-template', 'the template is paused'),
  132016: rule('drop-template', 'the template is disabled'),
  132068: rule('fail', 'the form is blocked'),
  // The account.
  131048: rule('pause-sender', 'restricted: too many people marked messages as spam'),
  131064: rule('pause-account', 'template classification is being enforced'),
  131042: rule('pause-account', 'payment'),
  131031: rule('pause-account', 'the account is locked'),
  368: rule('pause-account', 'blocked for breaking a policy'),
  130497: rule('pause-account', 'the account may not send to this country'),
  131063: rule('fail', 'marketing messages are disabled on this interface'),
};

const permission: ProviderErrorRule = rule('pause-sender', 'permission is missing');
const unlisted: ProviderErrorRule = rule('fail', 'an error that is not listed');

/** Looks a code up. 200–299 are permissions; a code that nobody lists fails the message rather than to repeat it. */
export function ruleForCode(code: number): ProviderErrorRule {
  const listed = rules[code];
  if (listed) return listed;
  return code >= 200 && code <= 299 ? permission : unlisted;
}

const troubleCodes: readonly number[] = [1, 2, 131000, 131016, 133004];

/** Whether a code says that the provider itself is unwell; enough of them open the number's circuit. */
export function isProviderTrouble(code: number): boolean {
  return troubleCodes.includes(code);
}

/** The codes of the table, in ascending order, for the documentation and its test. */
export const listedCodes: readonly number[] = Object.keys(rules).map(Number);
