import { defineError } from '@switchyard/errors';

/** The queues' figures can't be read: their Redis is away or hangs. */
export const figuresUnavailable = defineError('FIGURES_UNAVAILABLE', 503, 'later');
/** Name or password of the dashboard's login is wrong, or there is none. */
export const loginRefused = defineError('LOGIN_REFUSED', 401, 'never');
/** The dashboard was asked to change something by a page of another site. */
export const crossSiteRefused = defineError('CROSS_SITE_REFUSED', 403, 'never');
/** The dashboard shows data shortened and without secrets, so it may not write them; and it may not delete a whole queue. */
export const boardActionRefused = defineError('BOARD_ACTION_REFUSED', 403, 'never');
