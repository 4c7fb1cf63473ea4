import Type from 'typebox';
import { epoch, nullable, object } from './schemas.ts';

/** A token of the provider, as it is given; it is never shown. */
export const token = Type.String({ minLength: 1, maxLength: 4096 });

/** A WhatsApp Business Account. */
export const AccountView = Type.Object({
  id: Type.String(),
  wabaId: Type.String(),
  name: nullable(Type.String()),
  hasAccessToken: Type.Boolean(),
  syncedAtMs: nullable(epoch('Numbers and templates were read')),
  nextSyncAtMs: epoch('They are read again'),
  syncProblem: nullable(Type.String()),
  createdAtMs: epoch('Recorded'),
  updatedAtMs: epoch('Last change'),
});

/** A template in one language. */
export const TemplateView = Type.Object({
  id: Type.String(),
  wabaId: Type.String(),
  name: Type.String(),
  language: Type.String(),
  status: Type.String({ description: "The provider's word, such as APPROVED or PAUSED" }),
  sendability: Type.Union([Type.Literal('go'), Type.Literal('held'), Type.Literal('dropped')], {
    description: 'Its messages go, wait, or fail',
  }),
  statusReason: nullable(Type.String()),
  statusAtMs: epoch('Since'),
  category: nullable(Type.String()),
  quality: nullable(Type.String()),
  parameterFormat: Type.Union([Type.Literal('named'), Type.Literal('positional')]),
  providerTemplateId: nullable(Type.String()),
  syncedAtMs: nullable(epoch('Read from the provider')),
  createdAtMs: epoch('First heard of'),
  updatedAtMs: epoch('Last change'),
});

/** A template with what it is made of and what must be filled in. */
export const TemplateDetail = Type.Interface([TemplateView], {
  components: nullable(Type.Array(object)),
  parameters: Type.Array(Type.Object({ component: Type.String(), name: Type.String() })),
});

/** A file that messages may carry. */
export const MediaView = Type.Object({
  id: Type.String(),
  sha256: Type.String(),
  mimeType: Type.String(),
  bytes: Type.Integer(),
  fileName: nullable(Type.String()),
  createdAtMs: epoch('Stored'),
});
