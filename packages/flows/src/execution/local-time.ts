import { Cron } from 'croner';
import type { Weekday } from '../definitions/definition.ts';

const WEEKDAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

/** A format for a zone; undefined where there is no such zone. */
function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(timeZone)) {
    if (formats.size > 1000) formats.clear();
    try {
      formats.set(
        timeZone,
        new Intl.DateTimeFormat('en-US', {
          timeZone,
          hourCycle: 'h23',
          weekday: 'short',
          year: 'numeric',
          month: '2-digit',
          day: '2-digit',
          hour: '2-digit',
          minute: '2-digit',
        }),
      );
    } catch {
      formats.set(timeZone, undefined);
    }
  }
  return formats.get(timeZone);
}

/** Whether there is such a zone. */
export function isTimeZone(timeZone: string): boolean {
  return formatOf(timeZone) !== undefined;
}

/** A moment as clocks and calendars in a zone show it. */
export interface LocalTime {
  /** `2026-12-24`. */
  date: string;
  weekday: Weekday;
  /** Since midnight. */
  minutes: number;
}

/** What clocks in a zone show. @throws RangeError there is no such zone. */
export function localTimeOf(atMs: number, timeZone: string): LocalTime {
  const format = formatOf(timeZone);
  if (!format) throw new RangeError(`there is no time zone "${timeZone}"`);
  const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return {
    date: `${parts.year}-${parts.month}-${parts.day}`,
    weekday: parts.weekday?.toLowerCase() as Weekday,
    minutes: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

/** Minutes since midnight of `09:30`. */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** When clocks in a zone next show a time of day, on one of the weekdays; always after `afterMs`. */
export function nextTimeOfDay(
  afterMs: number,
  time: string,
  timeZone: string,
  weekdays: readonly Weekday[] = WEEKDAYS,
): number {
  const minutes = minutesOf(time) % (24 * 60);
  // The end of a day is the beginning of the next.
  const shift = time === '24:00' ? 1 : 0;
  const days = weekdays.map((day) => (WEEKDAYS.indexOf(day) + shift) % 7).join(',');
  return (
    nextCronTime(`${minutes % 60} ${Math.floor(minutes / 60)} * * ${days}`, timeZone, afterMs) ?? afterMs
  );
}

/** When a cron pattern next fires in a zone, after a moment; undefined: never. @throws Error for what is no pattern or zone. */
export function nextCronTime(pattern: string, timeZone: string, afterMs: number): number | undefined {
  const cron = new Cron(pattern, { timezone: timeZone, paused: true, mode: '5-part' });
  return cron.nextRun(new Date(afterMs))?.getTime();
}

/** A date and time, in a zone where it names none itself, as a moment; undefined for what is no date. */
export function parseMoment(text: string, timeZone: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{13}$/.test(trimmed)) return Number(trimmed);
  if (/^\d{10}$/.test(trimmed)) return Number(trimmed) * 1000;
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(trimmed);
  if (!match) return undefined;
  const [, date, time = '00:00', seconds = ':00', offset] = match;
  const asUtc = Date.parse(`${date}T${time}${seconds}${offset ?? 'Z'}`);
  if (Number.isNaN(asUtc)) return undefined;
  if (offset !== undefined) return asUtc;
  // Twice: the first guess may fall on the other side of a change of the clocks.
  let moment = asUtc;
  for (let round = 0; round < 2; round += 1) {
    const local = localTimeOf(moment, timeZone);
    const shownMs = Date.parse(`${local.date}T00:00Z`) + local.minutes * 60_000;
    moment += Math.floor(asUtc / 60_000) * 60_000 - shownMs;
  }
  return moment;
}
