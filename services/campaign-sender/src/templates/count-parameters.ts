import { placeholdersOf } from './check-template.ts';
import type { DefinedComponent } from './template-facts.ts';

/** How many values a message must give a template. */
export interface ParameterCounts {
  header?: number;
  body?: number;
  /** Buttons that take one. */
  buttons?: number;
}

/** Counts what a template wants to be given; parts that it does not have are left out. */
export function countParameters(components: readonly DefinedComponent[]): ParameterCounts {
  const find = (type: string) => components.find((each) => each.type.toUpperCase() === type);
  const header = find('HEADER');
  const body = find('BODY');
  const buttons = find('BUTTONS')?.buttons;
  return {
    ...(header === undefined ? {} : { header: ofHeader(header) }),
    ...(body === undefined ? {} : { body: placeholdersOf(body.text).length }),
    ...(buttons === undefined ? {} : { buttons: buttons.filter(takesValue).length }),
  };
}

function ofHeader({ format = 'TEXT', text }: DefinedComponent): number {
  return format.toUpperCase() === 'TEXT' ? placeholdersOf(text).length : 1;
}

function takesValue({ type, url }: { type: string; url?: string }): boolean {
  const kind = type.toUpperCase();
  return kind === 'COPY_CODE' || kind === 'OTP' || (kind === 'URL' && placeholdersOf(url).length > 0);
}
