export { checkHeaders } from './check-headers.ts';
export { checkUrl, type UrlPolicy } from './check-url.ts';
export {
  createSafeClient,
  type SafeClient,
  type SafeClientOptions,
  type SafeRequest,
  type SafeResponse,
} from './create-safe-client.ts';
export {
  addressRefused,
  answerTimedOut,
  headerRefused,
  redirectRefused,
  requestFailed,
  responseEncoded,
  responseTooLarge,
} from './errors.ts';
export { isPublicAddress } from './is-public-address.ts';
export { lookupPublic } from './lookup-public.ts';
export { toFetch } from './to-fetch.ts';
