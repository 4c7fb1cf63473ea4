-- Every service makes and owns the database switchyard_<service>; none but these.
GRANT ALL ON `switchyard\_%`.* TO 'switchyard'@'%';
