"""What crosses between host, supervisor and child: values, the frames they are in, and the pipes between the two."""
