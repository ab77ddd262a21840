{{ current_rows("survey_answer_labels", ref("stg_survey_answer_labels__labels")) }}
