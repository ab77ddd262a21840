{{ current_rows("survey_questions", ref("stg_survey_questions__questions")) }}
