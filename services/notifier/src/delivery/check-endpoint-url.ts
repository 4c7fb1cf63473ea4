import { isCodedError } from '@switchyard/errors';
import { checkUrl } from '@switchyard/safe-http';
import { endpointUrlRefused } from '../errors.ts';

/**
 * Checks the address of an endpoint as far as that goes without asking the network; a name is checked again when it is connected to.
 *
 * @throws ENDPOINT_URL_REFUSED
 */
export function checkEndpointUrl(text: string, allowPrivateNetworks: boolean): URL {
  try {
    return checkUrl(text, { allowPrivateNetworks });
  } catch (error) {
    if (!isCodedError(error)) throw error;
    throw endpointUrlRefused(`url ${error.message}`, { details: { field: 'url' } });
  }
}
