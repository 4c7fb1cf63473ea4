import { ConfigError } from '@switchyard/config';
import { Value } from 'typebox/value';
import { describeProblem, SettingsPatch } from './settings.ts';

/**
 * Reads `SIMULATOR_SETTINGS`.
 *
 * @throws ConfigError one line that names the variable.
 */
export function readSettings(json: string | undefined): SettingsPatch {
  if (json === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ConfigError('SIMULATOR_SETTINGS', 'must be JSON');
  }
  const [problem] = Value.Errors(SettingsPatch, value);
  if (problem) throw new ConfigError('SIMULATOR_SETTINGS', `is wrong:${describeProblem(problem)}`);
  return value as SettingsPatch;
}
