/** For Node 20, where tsx does not reach Workers by itself. */
import { register } from 'tsx/esm/api';

register();
export default await import('./task.ts');
