import type { Template } from './templates.ts';

/** The webhook change that tells of a template's new status. */
export function templateStatusChange(template: Template): { field: string; value: Record<string, unknown> } {
  return {
    field: 'message_template_status_update',
    value: {
      event: template.status,
      message_template_id: Number(template.id),
      message_template_name: template.name,
      message_template_language: template.language,
      message_template_category: template.category,
      reason: template.status === 'REJECTED' ? 'INVALID_FORMAT' : null,
    },
  };
}
