import Type from 'typebox';
import { Epoch, Id } from './shared.ts';

/** `analytics`: the figures of one finished period, from the service that owns the facts. */
export const RollUpPeriod = Type.Object({
  merchantId: Id,
  owner: Type.String(),
  period: Type.Union([Type.Literal('day'), Type.Literal('week'), Type.Literal('month')]),
  startsAtMs: Epoch,
  endsAtMs: Epoch,
  figures: Type.Record(Type.String(), Type.Number()),
});
