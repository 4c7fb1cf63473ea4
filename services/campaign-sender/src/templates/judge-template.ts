import type { ContentProblem } from '../messages/content/problem.ts';
import { checkTemplate } from './check-template.ts';
import { needsPhone, sendabilityOf, type TemplateFacts } from './template-facts.ts';

/** Why a template can't be sent, by a code of ours. */
export interface TemplateProblem extends ContentProblem {
  code: 'TEMPLATE_UNKNOWN' | 'TEMPLATE_NOT_SENDABLE' | 'TEMPLATE_PARAMETERS_INVALID' | 'PHONE_REQUIRED';
}

/**
 * Judges a filled template before it is queued. A paused template passes: its messages wait until it is released.
 *
 * @param template what is known of it; undefined where the account's list does not have it.
 * @param isListed whether the account's templates were read lately; without, what is not known passes.
 */
export function judgeTemplate(
  template: TemplateFacts | undefined,
  content: Record<string, unknown>,
  { isListed, toPhone }: { isListed: boolean; toPhone: boolean },
): TemplateProblem | undefined {
  if (!template)
    return isListed
      ? {
          code: 'TEMPLATE_UNKNOWN',
          field: 'name',
          message: 'is not a template of this account in this language',
        }
      : undefined;
  if (sendabilityOf(template.status) === 'dropped')
    return {
      code: 'TEMPLATE_NOT_SENDABLE',
      field: 'name',
      message: `is a template that can't be sent: ${template.status}`,
    };
  if (!toPhone && needsPhone(template))
    return {
      code: 'PHONE_REQUIRED',
      field: 'name',
      message: 'is for authentication, which needs a phone number as recipient',
    };
  const found = checkTemplate(template, content);
  return found && { code: 'TEMPLATE_PARAMETERS_INVALID', ...found };
}
