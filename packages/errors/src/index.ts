export {
  CodedError,
  type CodedErrorOptions,
  defineError,
  isCodedError,
  type Outcome,
} from './coded-error.ts';
