"""The statistics of a run: functions from scores to estimates, exams and verdicts.

They ask no model and read no file.
"""
