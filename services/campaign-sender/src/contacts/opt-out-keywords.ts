/** What a keyword asks for. */
export type KeywordDecision = 'opt-out' | 'opt-in';

/**
 * Words that end all messages, in the languages most numbers write in. Only a message that is nothing but such a word counts:
 * "stop by tomorrow?" is no opt-out. `cancel` and `end` are left out, since orders and chats are cancelled and ended too.
 */
const optOutWords = [
  // English
  'stop',
  'stop all',
  'stopall',
  'unsubscribe',
  'opt out',
  'optout',
  'opt-out',
  // German, Dutch
  'stopp',
  'abmelden',
  'abbestellen',
  'afmelden',
  // French
  'arret',
  'arreter',
  'desabonner',
  'se desabonner',
  // Spanish, Portuguese
  'baja',
  'darme de baja',
  'alto',
  'parar',
  'sair',
  'descadastrar',
  // Italian
  'ferma',
  'disiscrivimi',
  // Turkish, Indonesian, Polish, Russian
  'dur',
  'berhenti',
  'rezygnuje',
  'стоп',
  'отписаться',
  // Arabic, Hebrew, Hindi, Japanese, Chinese
  'توقف',
  'إلغاء الاشتراك',
  'הסר',
  'रोकें',
  'बंद करो',
  '停止',
  '配信停止',
  '退订',
  '退訂',
];

const optInWords = ['start', 'unstop', 'subscribe', 'alta', 'anmelden', 'reprendre', 'старт'];

const optOut = new Set(optOutWords.map(normalise));
const optIn = new Set(optInWords.map(normalise));

/** Reads a message's text as a keyword. @returns undefined for everything that is none. */
export function readKeyword(text: string | undefined): KeywordDecision | undefined {
  if (text === undefined || text.length > 64) return undefined;
  const word = normalise(text);
  if (optOut.has(word)) return 'opt-out';
  if (optIn.has(word)) return 'opt-in';
  return undefined;
}

/** Case, Latin accents, punctuation and blanks around and between words make no difference. */
function normalise(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Script=Latin}\p{Mn}+/gu, (letter) => letter.charAt(0))
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\p{P}\p{S}\s]+/gu, ' ')
    .trim();
}
