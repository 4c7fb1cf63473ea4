import type { FastifyInstance } from 'fastify';
import type { WhatsApp } from './create-whatsapp.ts';
import { graphError, unknownObject } from './graph-error.ts';
import { pageOf } from './page-of.ts';
import { sendGraphError } from './send-graph-error.ts';
import { templateStatusChange } from './template-status-change.ts';
import type { Template, TemplateComponent } from './templates.ts';

type Params = { Params: { id: string } };
type Query = { Querystring: Record<string, string | undefined> };

function view({ parameterFormat, ...template }: Template): Record<string, unknown> {
  return {
    ...template,
    parameter_format: parameterFormat,
    quality_score: { score: 'UNKNOWN' },
    rejected_reason: template.status === 'REJECTED' ? 'INVALID_FORMAT' : 'NONE',
  };
}

/** List, create and delete templates under a business account. */
export function registerTemplateRoutes(app: FastifyInstance, whatsapp: WhatsApp): void {
  const { templates, numbers } = whatsapp;

  app.get<Params & Query>('/:id/message_templates', async (request, reply) => {
    const { id } = request.params;
    if (!numbers.hasAccount(id)) return sendGraphError(reply, unknownObject(id));
    const { name, status, language, category } = request.query;
    const matching = templates
      .list(id)
      .filter(
        (template) =>
          (name === undefined || template.name.includes(name)) &&
          (status === undefined || template.status === status) &&
          (language === undefined || template.language === language) &&
          (category === undefined || template.category === category),
      );
    return pageOf(matching.map(view), request);
  });

  app.post<Params & { Body: unknown }>('/:id/message_templates', async (request, reply) => {
    const { id } = request.params;
    if (!numbers.hasAccount(id)) return sendGraphError(reply, unknownObject(id));
    const body = (request.body ?? {}) as Record<string, unknown>;
    const { name, language, category, components } = body;
    for (const [key, value] of Object.entries({ name, language, category })) {
      if (typeof value !== 'string' || value === '') {
        return sendGraphError(reply, graphError(100, undefined, `The parameter ${key} is required.`));
      }
    }
    if (!/^[a-z0-9_]{1,512}$/.test(name as string)) {
      return sendGraphError(
        reply,
        graphError(100, 'Message template name can only have lowercase letters, digits and underscores'),
      );
    }
    if (!['MARKETING', 'UTILITY', 'AUTHENTICATION'].includes(category as string)) {
      return sendGraphError(
        reply,
        graphError(100, undefined, 'Param category must be one of {UTILITY, MARKETING, AUTHENTICATION}.'),
      );
    }
    if (!Array.isArray(components) || !components.some((each) => each?.type === 'BODY')) {
      return sendGraphError(reply, graphError(100, 'A template needs components with a BODY'));
    }
    const created = templates.create(id, {
      name: name as string,
      language: language as string,
      category: category as string,
      components: components as TemplateComponent[],
      parameterFormat: String(body.parameter_format).toUpperCase() === 'NAMED' ? 'NAMED' : 'POSITIONAL',
      status: 'PENDING',
    });
    if (!created) {
      return sendGraphError(reply, {
        ...graphError(100, 'There is already content in this language for this template'),
        subcode: 2388024,
      });
    }
    const { review, reviewDelayMs } = whatsapp.settings.templates;
    if (review !== 'hold') {
      whatsapp.later(reviewDelayMs, () => {
        created.status = review === 'approve' ? 'APPROVED' : 'REJECTED';
        const [number] = numbers.ofAccount(id);
        whatsapp.injectChanges({
          ...templateStatusChange(created),
          ...(number ? { phoneNumberId: number.id } : {}),
        });
      });
    }
    return { id: created.id, status: created.status, category: created.category };
  });

  app.delete<Params & Query>('/:id/message_templates', async (request, reply) => {
    const { id } = request.params;
    if (!numbers.hasAccount(id)) return sendGraphError(reply, unknownObject(id));
    const { name, hsm_id: templateId } = request.query;
    if (!name) return sendGraphError(reply, graphError(100, undefined, 'The parameter name is required.'));
    const removed = templates.remove(id, name, templateId);
    if (removed.length === 0) {
      return sendGraphError(reply, { ...graphError(100, 'Message template not found'), subcode: 2593002 });
    }
    return { success: true };
  });
}
