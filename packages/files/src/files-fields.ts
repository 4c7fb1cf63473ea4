import { type ConfigFields, field } from '@switchyard/config';

/** Settings of a service that reads or writes files. */
export const filesFields = {
  filesUrl: field.url('FILES_URL', {
    description:
      'Where files are, the same for all services: file:/path, or s3://bucket/prefix?endpoint=https://…&region=…; unset means DATA_DIR/files',
    optional: true,
    protocols: ['file:', 's3:'],
  }),
  awsAccessKeyId: field.string('AWS_ACCESS_KEY_ID', {
    description: "Key for s3:; unset means the AWS SDK's own sources, such as the instance's role",
    optional: true,
  }),
  awsSecretAccessKey: field.string('AWS_SECRET_ACCESS_KEY', {
    description: 'Secret of that key',
    optional: true,
    secret: true,
  }),
} satisfies ConfigFields;
