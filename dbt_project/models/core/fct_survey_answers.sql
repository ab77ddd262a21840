with
    given as (select * from {{ ref("int_satisfaction__given_answers") }}),

    questions as (select * from {{ ref("dim_survey_questions") }}),

    judged as (
        select
            given.*,
            questions.role,
            questions.driver_group,
            questions.key_factor,
            questions.category,
            questions.period_days,
            questions.currency_code,
            questions.scale_min,
            questions.scale_max,
            coalesce(questions.is_reversed, false) as is_reversed,
            -- no score has seven digits and no amount eleven: a telephone number does
            coalesce(
                given.given_score < questions.scale_min
                or given.given_score > questions.scale_max
                or abs(given.given_score) >= case
                    when questions.role in ('category_spend', 'expected_price')
                    then 10000000000
                    else 1000000
                end,
                false
            )
            and not given.is_missing_code as is_off_scale
        from given
        left join questions on given.question_key = questions.question_key
    ),

    final as (
        select
            answer_key,
            response_key,
            source,
            response_id,
            survey_id,
            question_code,
            role,
            driver_group,
            key_factor,
            category,
            period_days,
            currency_code,
            scale_min,
            scale_max,
            is_reversed,
            given_score,
            case
                when is_missing_code or is_off_scale
                then null
                when is_reversed
                then scale_min + scale_max - given_score
                else given_score
            end as score,
            is_missing_code or not is_answered as is_missing,
            is_off_scale,
            -- free text stays behind: it may name people
            is_answered
            and given_score is null
            and not is_missing_code
            and coalesce(role, '') != 'comment' as is_unreadable
        from judged
    )

select *
from final
