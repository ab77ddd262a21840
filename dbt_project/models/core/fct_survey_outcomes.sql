{# What those who answered did in the days after; unknown, not no, while those days are not over. #}
{% set third = 1 / 3 %}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    follow_ups as (select * from {{ ref("int_satisfaction__follow_ups") }}),

    base as (select * from {{ ref("fct_survey_wave_customers") }}),

    days as (
        select * from {{ ref("fct_customer_order_days") }} where base = 'customer'
    ),

    -- rare, usual and frequent buyers: thirds by days with an order, among all who
    -- could have been asked
    cuts as (
        select
            source,
            survey_id,
            wave,
            {{ percentile("order_day_count", third) }} as low_cut,
            {{ percentile("order_day_count", 2 * third) }} as high_cut
        from base
        group by source, survey_id, wave
    ),

    earned as (
        select follow_ups.response_key, {{ order_day_sums("days") }}
        from follow_ups
        left join
            days
            on follow_ups.customer_key = days.base_key
            and days.calendar_date > follow_ups.submitted_date
            and days.calendar_date <= follow_ups.follow_up_end_date
        group by follow_ups.response_key
    ),

    -- a contract that runs on is a customer who stays; the next one, at a new price,
    -- is no end of it
    contracts as (
        select
            follow_ups.response_key,
            {% for name, day in [
                ("ran_before", "submitted_date"),
                ("runs_on", "follow_up_end_date"),
            ] %}
                max(
                    case
                        when
                            contracts.started_date <= follow_ups.{{ day }}
                            and coalesce(
                                contracts.ended_date > follow_ups.{{ day }}, true
                            )
                        then 1
                        else 0
                    end
                )
                = 1 as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from follow_ups
        inner join
            {{ ref("fct_contracts") }} as contracts
            on follow_ups.customer_key = contracts.customer_key
        -- where no end is given, a contract does not show that its customer stays
        where {{ when_delivered("contract_ends", "true") }}
        group by follow_ups.response_key
    ),

    judged as (
        select
            follow_ups.*,
            coalesce(contracts.ran_before, false) as ran_before,
            follow_ups.kept_order_count > 0
            or coalesce(contracts.runs_on, false) as has_stayed,
            -- without orders only a contract shows whether a customer stayed
            follow_ups.follow_up_end_date <= as_of.as_of
            and (
                coalesce(contracts.ran_before or contracts.runs_on, false)
                or coalesce({{ when_delivered("customer_orders", "true") }}, false)
            ) as is_observed,
            coalesce(contracts.ran_before, false)
            or coalesce(
                follow_ups.last_order_date
                > {{ add_days("follow_ups.submitted_date", -var("churn_days")) }},
                false
            ) as was_active,
            case
                when follow_ups.prior_order_day_count <= cuts.low_cut
                then 1
                when follow_ups.prior_order_day_count <= cuts.high_cut
                then 2
                when follow_ups.prior_order_day_count > cuts.high_cut
                then 3
            end as prior_frequency_tercile,
            {{ waterfall("net", "earned") }} as net_amount,
            {{ waterfall("cm1", "earned") }} as margin_amount
        from follow_ups
        cross join as_of
        inner join earned on follow_ups.response_key = earned.response_key
        left join contracts on follow_ups.response_key = contracts.response_key
        left join cuts using (source, survey_id, wave)
    ),

    final as (
        select
            response_key,
            source,
            survey_id,
            wave,
            customer_key,
            submitted_date,
            follow_up_end_date,
            is_observed,
            last_order_date,
            cast(prior_order_day_count as bigint) as prior_order_day_count,
            prior_frequency_tercile,
            was_active,
            case when is_observed then has_stayed end as has_repurchased,
            cast(
                case
                    when is_observed
                    then {{ when_delivered("customer_orders", "kept_order_count") }}
                end as bigint
            ) as kept_order_count,
            -- only an active customer can lapse
            case
                when is_observed and ran_before
                then not has_stayed
                when is_observed and was_active
                then lapse_count > 0
            end as has_churned,
            currency_code,
            case
                when is_observed
                then {{ when_delivered("customer_orders", "net_amount") }}
            end as net_amount,
            case
                when is_observed
                then
                    {{
                        when_delivered(
                            ["customer_orders", "order_lines", "goods_costs"],
                            "margin_amount",
                        )
                    }}
            end as margin_amount
        from judged
    )

select *
from final
