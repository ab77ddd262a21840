{# Of transactional surveys every order may have its own answer (var response_by), also one without a customer. #}
{%- set by_order = var("response_by") == "order" -%}
{%- set unit = "coalesce(order_key, customer_key)" if by_order else "customer_key" -%}
with
    responses as (select * from {{ ref("int_satisfaction__responses") }}),

    answers as (
        select
            response_key,
            count(score) as answer_count,
            count(case when is_off_scale then 1 end) as off_scale_count,
            count(case when is_unreadable then 1 end) as unreadable_count
        from {{ ref("fct_survey_answers") }}
        group by response_key
    ),

    batteries as (select * from {{ ref("int_satisfaction__batteries") }}),

    usual_times as (
        select
            source, survey_id, {{ percentile("answer_seconds", 0.5) }} as median_seconds
        from responses
        group by source, survey_id
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by source, survey_id, wave, respondent_type, {{ unit }}
                order by submitted_at, md5(response_key)
            ) as place_of_unit,
            {{ unit }} as unit_key,
            row_number() over (
                partition by
                    source,
                    survey_id,
                    wave,
                    device_hash
                    {% if by_order %}, order_key {% endif %}
                order by submitted_at, md5(response_key)
            ) as place_of_device
        from responses
    ),

    final as (
        select
            placed.response_key,
            placed.source,
            placed.response_id,
            placed.survey_id,
            placed.wave,
            placed.customer_key,
            placed.order_key,
            placed.product_key,
            placed.respondent_type,
            placed.mode,
            placed.touchpoint,
            placed.status,
            placed.incentive,
            placed.language,
            placed.sent_at,
            placed.sent_date,
            placed.started_at,
            placed.submitted_at,
            placed.submitted_date,
            placed.followed_up_at,
            placed.answer_seconds,
            coalesce(answers.answer_count, 0) as answer_count,
            -- a device is one person's only where people answer on their own: a
            -- tablet in the store is used by all
            (placed.unit_key is not null and placed.place_of_unit > 1)
            or (
                placed.device_hash is not null
                and coalesce(placed.mode, 'web') = 'web'
                and placed.place_of_device > 1
            ) as is_duplicate,
            coalesce(
                2 * placed.answer_seconds < usual_times.median_seconds, false
            ) as is_speeder,
            coalesce(batteries.is_straight_liner, false) as is_straight_liner,
            batteries.battery_item_count >= {{ var("battery_items") }} as has_battery,
            batteries.mark_deviation,
            {{ div("batteries.best_mark_count", "batteries.mark_count") }}
            as best_mark_rate,
            coalesce(
                placed.submitted_at < placed.sent_at, false
            ) as is_answered_before_sent,
            coalesce(answers.off_scale_count, 0) > 0 as has_off_scale,
            coalesce(answers.unreadable_count, 0) > 0 as has_unreadable
        from placed
        left join answers on placed.response_key = answers.response_key
        left join batteries on placed.response_key = batteries.response_key
        left join usual_times using (source, survey_id)
    )

select *
from final
